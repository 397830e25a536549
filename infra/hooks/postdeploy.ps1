# After both apps are deployed: the event subscription, which needs the function that it delivers to. Azure may not know
# the function for some minutes.
$Hook = 'postdeploy'
. $PSScriptRoot/common.ps1

Assert-Setting AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, EVENT_TOPIC_NAME, RESPONDER_APP_NAME, DATA_ACCOUNT_NAME
$isolated = if ($env:NETWORK_ISOLATION) { $env:NETWORK_ISOLATION } else { 'false' }
$pause = if ($env:EVENTS_RETRY_SECONDS) { [double] $env:EVENTS_RETRY_SECONDS } else { 30 }
$deployment = @(
    'deployment', 'group', 'create', '--subscription', $env:AZURE_SUBSCRIPTION_ID
    '--resource-group', $env:AZURE_RESOURCE_GROUP, '--name', 'bypass-events', '--template-file', 'infra/events.bicep'
    '--output', 'none', '--only-show-errors', '--parameters'
    "topicName=$env:EVENT_TOPIC_NAME", "responderAppName=$env:RESPONDER_APP_NAME"
    "dataAccountName=$env:DATA_ACCOUNT_NAME", "networkIsolation=$isolated"
)
for ($try = 1; ; $try++) {
    $said = & az @deployment 2>&1
    if ($LASTEXITCODE -eq 0) { break }
    if ("$said" -notmatch 'estination endpoint not found') {
        $said | ForEach-Object { [Console]::Error.WriteLine("$_") }
        Stop-Hook 'the event subscription was not created; fix the Azure error above, then run: azd deploy'
    }
    if ($try -ge 10) {
        Stop-Hook ('the event subscription was not created: Azure cannot find the function receive_alert after ' +
            "$try tries. Alerts do not arrive; the feed and the sweep work. Run: azd deploy")
    }
    Write-Line "Azure cannot find the function yet; attempt $try of 10"
    Start-Sleep -Seconds $pause
}

# After both apps are deployed: the console, where CONSOLE_APP_NAME says that there is one (azd cannot leave out a service),
# and the event subscription, which needs the function that it delivers to. Azure may not know
# the function for some minutes, and has its own errors: only what cannot pass is not tried again. EVENTS_TEMPLATE is
# the compiled template of a release.
$Hook = 'postdeploy'
. $PSScriptRoot/common.ps1

Assert-Setting AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, EVENT_TOPIC_NAME, RESPONDER_APP_NAME, DATA_ACCOUNT_NAME, ALERTS_TO
if ($env:CONSOLE_APP_NAME) {
    Assert-AzureCli
    if (-not (Test-Path $Programs)) { Initialize-Environment }  # azd deploy runs no prepackage
    & (Join-Path $Programs 'python') -m infra.package_console
    if ($LASTEXITCODE) { Stop-Hook 'the console was not packaged; fix the error above, then run: azd deploy' }
    $deployConsole = @(
        'functionapp', 'deployment', 'source', 'config-zip', '--subscription', $env:AZURE_SUBSCRIPTION_ID
        '--resource-group', $env:AZURE_RESOURCE_GROUP, '--name', $env:CONSOLE_APP_NAME, '--src', 'build/console.zip'
        '--build-remote', 'false', '--output', 'none', '--only-show-errors'
    )
    & az @deployConsole
    if ($LASTEXITCODE) { Stop-Hook 'the console was not deployed; fix the Azure error above, then run: azd deploy' }
    Write-Line "the console: https://$env:CONSOLE_APP_NAME.azurewebsites.net"
}
if ($env:ALERTS_TO -eq 'none') {
    Write-Line 'no event subscription: ALERTS_BY_QUEUE=never'
    exit 0
}
Assert-AzureCli
$template = if ($env:EVENTS_TEMPLATE) { $env:EVENTS_TEMPLATE } else { 'infra/events.bicep' }
$pause = if ($env:EVENTS_RETRY_SECONDS) { [double] $env:EVENTS_RETRY_SECONDS } else { 30 }
$deployment = @(
    'deployment', 'group', 'create', '--subscription', $env:AZURE_SUBSCRIPTION_ID
    '--resource-group', $env:AZURE_RESOURCE_GROUP, '--name', 'bypass-events', '--template-file', $template
    '--output', 'none', '--only-show-errors', '--parameters'
    "topicName=$env:EVENT_TOPIC_NAME", "responderAppName=$env:RESPONDER_APP_NAME"
    "dataAccountName=$env:DATA_ACCOUNT_NAME", "alertsTo=$env:ALERTS_TO"
)
$final = 'AuthorizationFailed|does not have authorization|RequestDisallowedByPolicy|az login|' +
    '\(InvalidTemplate\)|"InvalidTemplate"|Error BCP|InvalidRequestContent'
for ($try = 1; ; $try++) {
    $output = & az @deployment 2>&1
    if ($LASTEXITCODE -eq 0) { break }
    if ("$output" -cmatch $final) {
        $output | ForEach-Object { [Console]::Error.WriteLine("$_") }
        Stop-Hook 'the event subscription was not created; fix the Azure error above, then run: azd deploy'
    }
    if ($try -ge 10) {
        $output | ForEach-Object { [Console]::Error.WriteLine("$_") }
        Stop-Hook ("the event subscription was not created in $try attempts. Alerts do not arrive; the feed and the " +
            'sweep work. Run: azd deploy')
    }
    if ("$output" -cmatch 'estination endpoint not found') {
        Write-Line "Azure cannot find the function yet; attempt $try of 10"
    }
    else { Write-Line "attempt $try of 10 failed: $(@($output)[0])" }
    Start-Sleep -Seconds $pause
}

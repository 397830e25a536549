# Before code is deployed: refuses while permissions are missing. BYPASS_GRANT=skip deploys anyway.
$Hook = 'predeploy'
. $PSScriptRoot/common.ps1

if ($env:BYPASS_GRANT -eq 'skip') {
    Write-Line 'deploying without checking permissions: BYPASS_GRANT=skip'
    exit 0
}
if (-not (Test-Grant)) {
    Stop-Hook ('permissions are missing, so nothing was deployed: an app that starts now lacks them for up to a day. ' +
        "A Privileged Role Administrator runs: $(Get-GrantCommand). " +
        'To deploy anyway: azd env set BYPASS_GRANT skip')
}

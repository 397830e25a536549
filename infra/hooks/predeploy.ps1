# Before code is deployed: refuse it while rights are missing. BYPASS_GRANT=skip deploys all the same.
$Hook = 'predeploy'
. $PSScriptRoot/common.ps1

if ($env:BYPASS_GRANT -eq 'skip') {
    Write-Line 'deploys without looking at the rights: BYPASS_GRANT=skip'
    exit 0
}
if (-not (Test-Grant)) {
    Stop-Hook ('rights are missing, so nothing was deployed: an app that starts now lacks them for up to a day. ' +
        "A Privileged Role Administrator runs: $(Get-GrantCommand). " +
        'To deploy all the same: azd env set BYPASS_GRANT skip')
}

# After the resources are there and before any code is: the rights. A token fetched before its grant lacks the role for
# up to a day. BYPASS_GRANT=now grants them here, as the person who is signed in; otherwise this stops and says who can.
$Hook = 'postprovision'
. $PSScriptRoot/common.ps1

if ($env:BYPASS_GRANT -eq 'skip') {
    Write-Line 'permissions not checked: BYPASS_GRANT=skip'
    exit 0
}
if (Test-Grant) { exit 0 }
if ($env:BYPASS_GRANT -ne 'now') {
    Stop-Hook ('permissions are missing, so nothing was deployed. A Privileged Role Administrator runs ' +
        "what bypassctl grant --script prints, or: $(Get-GrantCommand); an Exchange administrator runs what bypassctl grant --exchange-script prints. " +
        'Then: azd up')
}
& bypassctl grant --yes
if ($LASTEXITCODE) {
    Stop-Hook 'not all permissions were granted; fix the errors above, then run: azd up'
}

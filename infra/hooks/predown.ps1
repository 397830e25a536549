# Before the resources go: the rights of the identities, while their names still mean something.
$Hook = 'predown'
. $PSScriptRoot/common.ps1

if ($env:BYPASS_GRANT -eq 'skip') {
    Write-Line 'the rights are left as they are: BYPASS_GRANT=skip'
    exit 0
}
if (-not $env:RESPONDER_PRINCIPAL_ID) {
    Write-Line 'nothing was provisioned, so no rights are taken back'
    exit 0
}
Assert-Setting TENANT_ID, RESPONDER_PRINCIPAL_ID, RESPONDER_CLIENT_ID, WORKER_PRINCIPAL_ID, WORKER_CLIENT_ID
Initialize-Environment
& bypassctl grant --revoke --yes
if ($LASTEXITCODE) {
    Stop-Hook ('the rights were not taken back completely, so nothing was deleted. Let a Privileged Role ' +
        "Administrator run: $(Get-GrantCommand) --revoke, or delete all the same: azd env set BYPASS_GRANT skip")
}
Write-Line 'the rights are taken back. If you keep the resources after all, grant them again: azd provision'

# Before the resources are deleted: revokes the permissions of the identities while they still exist.
$Hook = 'predown'
. $PSScriptRoot/common.ps1

if ($env:BYPASS_GRANT -eq 'skip') {
    Write-Line 'permissions not revoked: BYPASS_GRANT=skip'
    exit 0
}
if (-not $env:RESPONDER_PRINCIPAL_ID) {
    Write-Line 'nothing was provisioned, so there are no permissions to revoke'
    exit 0
}
Assert-Setting TENANT_ID, RESPONDER_PRINCIPAL_ID, RESPONDER_CLIENT_ID, WORKER_PRINCIPAL_ID, WORKER_CLIENT_ID
Initialize-Environment
& bypassctl grant --revoke --yes
if ($LASTEXITCODE) {
    Stop-Hook ('not all permissions were revoked, so nothing was deleted. Let a Privileged Role ' +
        "Administrator run: $(Get-GrantCommand) --revoke, or delete anyway: azd env set BYPASS_GRANT skip")
}
Write-Line 'permissions revoked. To keep the resources after all, grant them again: azd provision'

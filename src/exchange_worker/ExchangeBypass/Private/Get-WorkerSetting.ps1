function Get-WorkerSetting {
    <#
    .SYNOPSIS
    Reads the worker's settings from the environment.

    .DESCRIPTION
    TENANT_ID                the tenant that this worker serves, a GUID
    EXCHANGE_ORGANIZATION    the tenant's initial domain, such as contoso.onmicrosoft.com
    AZURE_CLIENT_ID          the client id of the user-assigned identity
    READ_BACK_SECONDS        how long a change is read back before it is reported as unverified; 10 when not set
    RETRY_PAUSE_SECONDS      the pause before the first retry of a transient error, doubled each time; 2 when not set
    Throws an error that names the first missing or invalid setting. Cmdlets and Deadline are no settings:
    Invoke-BypassRead replaces them.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param()

    foreach ($name in 'TENANT_ID', 'EXCHANGE_ORGANIZATION', 'AZURE_CLIENT_ID') {
        if (-not [Environment]::GetEnvironmentVariable($name)) {
            throw "The setting $name of the Exchange worker is not set."
        }
    }
    $seconds = @{ READ_BACK_SECONDS = 10.0; RETRY_PAUSE_SECONDS = 2.0 }
    foreach ($name in @($seconds.Keys)) {
        $given = [Environment]::GetEnvironmentVariable($name)
        $number = 0.0
        if (-not $given) { continue }
        if (-not [double]::TryParse($given, 'Float', [cultureinfo]::InvariantCulture, [ref]$number) -or $number -lt 0) {
            throw "The setting $name of the Exchange worker must be a number of seconds."
        }
        $seconds[$name] = $number
    }
    [pscustomobject]@{
        TenantId          = $env:TENANT_ID.ToLowerInvariant()
        Organization      = $env:EXCHANGE_ORGANIZATION
        ClientId          = $env:AZURE_CLIENT_ID
        ReadBackSeconds   = $seconds.READ_BACK_SECONDS
        RetryPauseSeconds = $seconds.RETRY_PAUSE_SECONDS
        Cmdlets           = @(
            'Get-User'
            'Get-MailboxAuditBypassAssociation'
            'Set-MailboxAuditBypassAssociation'
            'Get-OrganizationConfig'
            'Get-AdminAuditLogConfig'
        )
        Deadline          = [datetime]::MaxValue
    }
}

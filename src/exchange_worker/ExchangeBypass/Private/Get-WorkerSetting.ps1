function Get-WorkerSetting {
    <#
    .SYNOPSIS
    Reads the settings of the worker from its environment.

    .DESCRIPTION
    TENANT_ID                the tenant that this worker serves, a GUID
    EXCHANGE_ORGANIZATION    its first domain, contoso.onmicrosoft.com
    AZURE_CLIENT_ID          the client id of the user-assigned identity
    READ_BACK_SECONDS        how long a change is read back before it counts as unverified; 10 when not set
    RETRY_PAUSE_SECONDS      the pause before the second try of what may pass by itself, then doubled; 2 when not set
    Throws with the name of the first setting that is missing or wrong.
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
            throw "The setting $name of the Exchange worker is not a number of seconds."
        }
        $seconds[$name] = $number
    }
    [pscustomobject]@{
        TenantId          = $env:TENANT_ID.ToLowerInvariant()
        Organization      = $env:EXCHANGE_ORGANIZATION
        ClientId          = $env:AZURE_CLIENT_ID
        ReadBackSeconds   = $seconds.READ_BACK_SECONDS
        RetryPauseSeconds = $seconds.RETRY_PAUSE_SECONDS
    }
}

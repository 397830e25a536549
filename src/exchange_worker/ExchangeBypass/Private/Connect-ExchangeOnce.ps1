function Connect-ExchangeOnce {
    <#
    .SYNOPSIS
    Connects to Exchange Online with the managed identity, unless this worker is already connected.

    .DESCRIPTION
    Loads only the cmdlets that this function uses: this is faster, and a long-lived worker never recovers the memory
    of a connection. Permission: Exchange.ManageAsApp, and an Exchange role with these cmdlets.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    Import-Module -Name ExchangeOnlineManagement -Global
    $connections = @(Get-ConnectionInformation)
    if (@($connections | Where-Object { $_.State -eq 'Connected' -and $_.TokenStatus -eq 'Active' })) {
        return
    }
    if ($connections) {
        Disconnect-ExchangeOnline -Confirm:$false
    }
    $connection = @{
        ManagedIdentity          = $true
        ManagedIdentityAccountId = $Setting.ClientId
        Organization             = $Setting.Organization
        CommandName              = $Setting.Cmdlets
        SkipLoadingFormatData    = $true
        ShowBanner               = $false
        ErrorAction              = 'Stop'
    }
    $null = Connect-ExchangeOnline @connection
    $tenant = ([string](Get-ConnectionInformation | Select-Object -First 1).TenantID).ToLowerInvariant()
    if ((Test-Guid -Value $tenant) -and $tenant -cne $Setting.TenantId) {
        Disconnect-ExchangeOnline -Confirm:$false
        $reason = "EXCHANGE_ORGANIZATION ($($Setting.Organization)) belongs to tenant $tenant, " +
            "but TENANT_ID is $($Setting.TenantId)."
        Exit-BypassCommand -Outcome failed -ErrorClass other -Reason $reason
    }
}

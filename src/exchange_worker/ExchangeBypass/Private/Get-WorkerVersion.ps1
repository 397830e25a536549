function Get-WorkerVersion {
    <#
    .SYNOPSIS
    Names the module that talks to Exchange and the PowerShell that it runs in, with their versions.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $module = Get-Module -Name ExchangeOnlineManagement
    $loaded = if ($module) { "ExchangeOnlineManagement $($module.Version)" } else { 'ExchangeOnlineManagement not loaded' }
    "$loaded, PowerShell $($PSVersionTable.PSVersion)"
}

function Get-WorkerVersion {
    <#
    .SYNOPSIS
    Names the module that talks to Exchange and the PowerShell that it runs in, with their versions.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $module = Get-Module -Name ExchangeOnlineManagement
    $version = if ($module) { $module.Version } else { 'not loaded' }
    "ExchangeOnlineManagement $version, PowerShell $($PSVersionTable.PSVersion)"
}

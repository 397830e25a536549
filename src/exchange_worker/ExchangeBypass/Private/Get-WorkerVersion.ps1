function Get-WorkerVersion {
    <#
    .SYNOPSIS
    Returns the versions of the Exchange module and of PowerShell.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $module = Get-Module -Name ExchangeOnlineManagement
    $version = if ($module) { $module.Version } else { 'not loaded' }
    "ExchangeOnlineManagement $version, PowerShell $($PSVersionTable.PSVersion)"
}

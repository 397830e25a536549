function Test-SameAuditSetting {
    <#
    .SYNOPSIS
    Tests whether two audit settings are the same, whatever the order and case of their lists.

    .DESCRIPTION
    The actions of a logon type in both default sets are Microsoft's and not compared.

    .PARAMETER One
    Audit settings in the form of the contract.

    .PARAMETER Other
    The same.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$One,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Other
    )

    $text = { (@($args[0]) | ForEach-Object { "$_".ToLowerInvariant() } | Sort-Object -Unique) -join ',' }
    $lists = foreach ($type in 'Admin', 'Delegate', 'Owner') {
        if ($type -notin $One['default_set'] -or $type -notin $Other['default_set']) { $type.ToLowerInvariant() }
    }
    foreach ($name in @('default_set') + @($lists)) {
        if ($name -and (& $text $One[$name]) -cne (& $text $Other[$name])) { return $false }
    }
    $One['enabled'] -eq $Other['enabled'] -and [string]$One['age_limit'] -eq [string]$Other['age_limit']
}

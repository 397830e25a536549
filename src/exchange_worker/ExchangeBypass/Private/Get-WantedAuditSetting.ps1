function Get-WantedAuditSetting {
    <#
    .SYNOPSIS
    Returns the audit settings that a mailbox has after a change.

    .PARAMETER Before
    Its settings now.

    .PARAMETER Change
    The change, as the command has it.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Before,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Change
    )

    $wanted = [ordered]@{
        enabled     = if ($Change['enable']) { $true } else { $Before['enabled'] }
        age_limit   = if ($Change['age_limit_days']) { "$($Change['age_limit_days']).00:00:00" } else { $Before['age_limit'] }
        default_set = @()
    }
    foreach ($type in 'Admin', 'Delegate', 'Owner') {
        $name = $type.ToLowerInvariant()
        $now, $added = @($Before[$name]), @($Change[$name] | Where-Object { $_ -and $_ -notin $Before[$name] })
        if ($type -in $Change['default_set'] -or ($type -in $Before['default_set'] -and -not $added)) {
            $wanted.default_set += $type
            $wanted[$name] = if ($type -in $Before['default_set']) { $now } else { @(Get-DefaultAction -LogonType $type) }
        } else {
            $wanted[$name] = $now + $added
        }
    }
    $wanted
}

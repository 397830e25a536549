function Get-AuditParameter {
    <#
    .SYNOPSIS
    Returns the Audit parameters of Set-Mailbox that lead from one setting to another.

    .DESCRIPTION
    What only grows is added, so that the audit record names what was added; anything else replaces the list.

    .PARAMETER Before
    The settings now.

    .PARAMETER Wanted
    The settings afterwards.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Before,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Wanted
    )

    $parameter = @{}
    if ($null -ne $Wanted['enabled'] -and $Wanted['enabled'] -ne $Before['enabled']) {
        $parameter.AuditEnabled = [bool]$Wanted['enabled']
    }
    if ($Wanted['age_limit'] -and $Wanted['age_limit'] -ne $Before['age_limit']) {
        $parameter.AuditLogAgeLimit = [string]$Wanted['age_limit']
    }
    $reset = @()
    foreach ($type in 'Admin', 'Delegate', 'Owner') {
        $now, $then = @($Before[$type.ToLowerInvariant()]), @($Wanted[$type.ToLowerInvariant()])
        $was, $will = ($type -in $Before['default_set']), ($type -in $Wanted['default_set'])
        $more, $less = @($then | Where-Object { $_ -notin $now }), @($now | Where-Object { $_ -notin $then })
        if ($will) {
            if (-not $was) { $reset += $type }
        } elseif ($less -or ($was -and -not $more)) {
            $parameter["Audit$type"] = if ($then) { [string[]]$then } else { 'None' }
        } elseif ($more) {
            $parameter["Audit$type"] = @{ Add = [string[]]$more }
        }
    }
    if ($reset) { $parameter.DefaultAuditSet = [string[]]$reset }
    $parameter
}

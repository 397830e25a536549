function Get-ChangeProblem {
    <#
    .SYNOPSIS
    Returns what is wrong with the change of apply_mailbox, or nothing when it is valid.

    .DESCRIPTION
    A change can name logon types, actions, an age limit, and that auditing is enabled; nothing else reaches Set-Mailbox.

    .PARAMETER Command
    The command.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command
    )

    $change = $Command['change']
    $isChange = $change -is [System.Collections.IDictionary]
    if (-not (Test-Guid -Value $Command['record'])) {
        return 'The command is not valid: record is not a GUID.'
    }
    if ($Command['expected'] -isnot [System.Collections.IDictionary]) {
        return 'The command is not valid: expected is missing.'
    }
    if (($Command['undo'] -eq $true) -eq $isChange) {
        return 'The command is not valid: exactly one of change and undo is required.'
    }
    if (-not $isChange) { return }
    $fields = 'enable', 'age_limit_days', 'default_set', 'admin', 'delegate', 'owner'
    $unknown = @($change.Keys | Where-Object { $_ -cnotin $fields })
    if ($unknown) { return "The command is not valid: change has the unknown field '$($unknown[0])'." }
    if ($null -ne $change['enable'] -and $change['enable'] -ne $true) {
        return 'The command is not valid: change.enable can only be true.'
    }
    $days = $change['age_limit_days']
    if ($null -ne $days -and -not (($days -is [int] -or $days -is [long]) -and $days -ge 1 -and $days -le 3650)) {
        return 'The command is not valid: change.age_limit_days is not a number from 1 to 3650.'
    }
    if (@($change['default_set'] | Where-Object { $_ -and $_ -cnotin 'Admin', 'Delegate', 'Owner' })) {
        return 'The command is not valid: change.default_set has an unknown logon type.'
    }
    foreach ($name in 'admin', 'delegate', 'owner') {
        if (@($change[$name] | Where-Object { $null -ne $_ -and ($_ -isnot [string] -or $_ -cnotmatch '\A[A-Za-z]{1,64}\z') })) {
            return "The command is not valid: change.$name has something that is not an action."
        }
    }
}

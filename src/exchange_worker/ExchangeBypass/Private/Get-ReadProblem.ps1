function Get-ReadProblem {
    <#
    .SYNOPSIS
    Returns what is wrong with the fields of a command for ExchangeReads, or nothing when it is valid.

    .PARAMETER Command
    The command, of an accepted kind.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command
    )

    $numbers = @{
        most_seconds = 10, 600, 'read_account', 'read_organization', 'read_mailboxes', 'record_mailbox', 'apply_mailbox'
        most_items   = 1, 5000, 'read_account', 'read_organization'
        most_checks  = 0, 1000, 'read_account'
        most_rows    = 1, 100000, 'read_mailboxes'
    }
    foreach ($name in $numbers.Keys | Sort-Object) {
        $least, $most, $kinds = $numbers[$name]
        $value = $Command[$name]
        $whole = $value -is [int] -or $value -is [long]
        if ($Command['kind'] -in $kinds -and -not ($whole -and $value -ge $least -and $value -le $most)) {
            return "The command is not valid: $name is not a number from $least to $most."
        }
    }
    if ($Command['kind'] -in 'read_account', 'record_mailbox', 'apply_mailbox' -and
        -not (Test-Guid -Value $Command['object_id'])) {
        return 'The command is not valid: object_id is not a GUID.'
    }
    $sections = 'mailbox', 'inbox_rules', 'opened_by', 'sent_as_by', 'folder_permissions', 'can_send_as',
        'can_send_on_behalf', 'can_open'
    if ($Command['kind'] -ceq 'read_account' -and
        (-not $Command['sections'] -or @($Command['sections'] | Where-Object { $_ -cnotin $sections }))) {
        return 'The command is not valid: sections names none, or an unknown one.'
    }
    if ($Command['kind'] -ceq 'apply_mailbox') { return Get-ChangeProblem -Command $Command }
    if ($Command['kind'] -cne 'read_mailboxes') { return }
    $shard = $Command['shard']
    if ($shard -isnot [System.Collections.IDictionary] -or
        $shard['recipients'] -cnotin 'user', 'shared', 'other', 'group', 'public_folder', 'bypassed') {
        return 'The command is not valid: shard does not name known recipients.'
    }
    foreach ($name in 'since', 'until') {
        if ($null -ne $shard[$name] -and $null -eq (ConvertTo-UtcTime -Value $shard[$name])) {
            return "The command is not valid: shard.$name is not a time."
        }
    }
}

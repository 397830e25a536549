function Get-UndoProblem {
    <#
    .SYNOPSIS
    Returns why a change could not be undone, or nothing when it can.

    .DESCRIPTION
    Set-Mailbox accepts MessageBind no more; lists from before may still have it.

    .PARAMETER Recorded
    The settings before the change.

    .PARAMETER Wanted
    The settings after the change.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Recorded,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Wanted
    )

    $way = Get-AuditParameter -Before $Wanted -Wanted $Recorded
    $actions = $way.Values | ForEach-Object { if ($_ -is [hashtable]) { $_.Add } else { $_ } }
    if ('MessageBind' -in $actions) {
        'The change could not be undone: a list has MessageBind, which Set-Mailbox accepts no more.'
    }
}

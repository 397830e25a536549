function Update-MailboxAudit {
    <#
    .SYNOPSIS
    Makes one mailbox audit more, or undoes that; reads it back and returns the outcome.

    .DESCRIPTION
    Needs a record that record_mailbox stored where only the worker can write: an undo restores exactly that. Nothing is
    set where the mailbox is not as expected. What would audit less is refused, except the undo. A queue delivers a
    message more than once: a change that has ended is not made again, so it cannot come back after its undo.
    Permission in Exchange: Set-Mailbox with its Audit parameters, in a separate role.

    .PARAMETER Command
    The command.

    .PARAMETER Record
    The record, as ConvertTo-MailboxRecord returns it.

    .PARAMETER Ended
    What the change of this record ended with: apply, undo, or empty.

    .PARAMETER Answer
    The answer; this function sets exchange_guid, before and after.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [AllowNull()]
        [object]$Record,

        [Parameter(Mandatory)]
        [AllowEmptyString()]
        [string]$Ended,

        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    if ($null -eq $Record -or $Record['object_id'] -cne $Command['object_id']) {
        $reason = "There is no record $($Command['record']) of this mailbox; record_mailbox makes one."
        Exit-BypassCommand -Outcome refused -Reason $reason
    }
    $recorded = $Record['settings']
    $resolved = Resolve-ExchangeObject -ObjectId $Command['object_id'] -Setting $Setting
    $guid = $Answer.exchange_guid = $resolved.exchange_guid
    $before = $Answer.before = ConvertTo-AuditSetting -Row (Read-MailboxByGuid -ExchangeGuid $guid -Setting $Setting)
    $wanted = if ($Command['undo']) { $recorded } else { Get-WantedAuditSetting -Before $before -Change $Command['change'] }
    if (Test-SameAuditSetting -One $before -Other $wanted) {
        $Answer.after = $before
        return 'already'
    }
    if ($Ended -ceq 'undo' -or ($Ended -and -not $Command['undo'])) { return 'changed' }
    if (-not (Test-SameAuditSetting -One $before -Other $Command['expected'])) { return 'changed' }
    if (-not $Command['undo']) {
        if (-not (Test-SameAuditSetting -One $before -Other $recorded)) { return 'changed' }
        $loss = @(Get-AuditLoss -Before $before -Wanted $wanted)
        if ($loss) {
            Exit-BypassCommand -Outcome refused -Reason "The mailbox would no longer audit: $($loss -join ', ')."
        }
        $problem = Get-UndoProblem -Recorded $recorded -Wanted $wanted
        if ($problem) { Exit-BypassCommand -Outcome refused -Reason $problem }
    }
    $set = @{ ExchangeGuid = $guid; Setting = $Setting }
    $done = Set-AuditSetting -Before $before -Wanted $wanted @set
    $Answer.after = $done.Settings
    if (-not $done.Same) { return 'unverified' }
    if ($Command['undo']) { return 'applied' }
    $loss = @(Get-AuditLoss -Before $before -Wanted $done.Settings)
    if (-not $loss) { return 'applied' }
    $Answer.error = "Once it was set, the mailbox no longer audited: $($loss -join ', ')."
    $back = Set-AuditSetting -Before $done.Settings -Wanted $recorded @set
    $Answer.after = $back.Settings
    if ($back.Same) { 'reverted' } else { 'less' }
}

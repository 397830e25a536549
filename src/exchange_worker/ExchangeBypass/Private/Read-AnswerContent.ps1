function Read-AnswerContent {
    <#
    .SYNOPSIS
    Reads what a command asks for into Content, and sets in the answer whether that is everything.

    .PARAMETER Command
    The command: read_account, read_organization or read_mailboxes.

    .PARAMETER Content
    Takes the lines; see Reset-Content.

    .PARAMETER Answer
    The answer; this function sets complete, partial, scanned and warnings.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [hashtable]$Content,

        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    if ($Command['kind'] -cne 'read_mailboxes') {
        $line = if ($Command['kind'] -ceq 'read_account') {
            Read-AccountAccess -Command $Command -Setting $Setting
        } else {
            Read-OrganizationRight -MostItems $Command['most_items'] -Setting $Setting
        }
        Reset-Content -Content $Content
        Add-ContentLine -Content $Content -Line $line
        $failed = @($line.Keys | Where-Object { $line[$_] -is [System.Collections.IDictionary] -and $line[$_].error })
        if ($failed) { $Answer.partial = "$($failed[0]): $($line[$failed[0]].error)" }
        $Answer.complete = -not $failed
        $Answer.scanned = 1
        return
    }
    $shard = $Command['shard']
    $read = if ($shard['recipients'] -ceq 'bypassed') {
        Read-BypassedAccount -Content $Content -Setting $Setting
    } else {
        Read-MailboxShard -Shard $shard -MostRows $Command['most_rows'] -Content $Content -Setting $Setting
    }
    $cut = $read.Warnings | Select-Object -First 20 | ForEach-Object { $_.Substring(0, [Math]::Min(500, $_.Length)) }
    $Answer.scanned = $read.Scanned
    $Answer.partial = $read.Partial
    $Answer.warnings = @($cut)
    $Answer.complete = -not $read.Partial -and -not $read.Warnings
}

function Find-DefaultFolder {
    <#
    .SYNOPSIS
    Returns the inbox, the sent items or the calendar of a mailbox, whatever its name; nothing where it is not known.

    .DESCRIPTION
    Folders have the names of the mailbox's language, and anybody with the mailbox can make another one with the English
    name. The row has FolderId and FolderPath.
    Permission in Exchange: Get-MailboxFolderStatistics. Without it, $missing, which Read-AnswerSection returns as not
    enumerated, says so.

    .PARAMETER ExchangeGuid
    The Exchange GUID of the mailbox.

    .PARAMETER Type
    Inbox, SentItems or Calendar.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [ValidateScript({ Test-Guid -Value $_ })]
        [string]$ExchangeGuid,

        [Parameter(Mandatory)]
        [ValidateSet('Inbox', 'SentItems', 'Calendar')]
        [string]$Type,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $asked = @{ Identity = $ExchangeGuid; FolderScope = $Type }
    try {
        $rows = (Invoke-ExchangeCmdlet -Name Get-MailboxFolderStatistics -Parameter $asked -Setting $Setting).Rows
    } catch {
        if ($_.Exception.Data['BypassErrorClass'] -eq 'transient') { throw }
        $reason = 'folders with names of another language: Get-MailboxFolderStatistics could not be run'
        if ($reason -notin $missing) { $missing.Add($reason) }
        return
    }
    $rows | Where-Object { [string](Get-RowValue -Row $_ -Name FolderType) -eq $Type } | Select-Object -First 1
}

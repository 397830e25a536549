function Read-FolderPermission {
    <#
    .SYNOPSIS
    Returns the permissions on the root, the inbox, the sent items and the calendar of a mailbox.

    .DESCRIPTION
    Folders have the names of the mailbox's language: they are found by their type, and where it is not known by their
    English names. One that is not found is listed in $missing, which Read-AnswerSection returns as not enumerated.

    .PARAMETER ExchangeGuid
    The Exchange GUID of the mailbox.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [ValidateScript({ Test-Guid -Value $_ })]
        [string]$ExchangeGuid,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $asked = @{ Identity = "${ExchangeGuid}:\" }
    Read-Permission -Name Get-MailboxFolderPermission -Parameter $asked -Folder '\' -Setting $Setting
    $english = [ordered]@{ Inbox = '\Inbox'; SentItems = '\Sent Items'; Calendar = '\Calendar' }
    foreach ($type in $english.Keys) {
        $folder, $shown = $english[$type], $english[$type]
        $row = Find-DefaultFolder -ExchangeGuid $ExchangeGuid -Type $type -Setting $Setting
        if ($row) {
            $folder = [string](Get-RowValue -Row $row -Name FolderId)
            # Exchange has U+F8FF for a slash within a name
            $path = ([string](Get-RowValue -Row $row -Name FolderPath)).Replace('/', '\').Replace([char]0xF8FF, '/')
            if ($path -ne $shown) { $shown = "$path ($($shown.Substring(1)))" }
        }
        $asked = @{ Identity = "${ExchangeGuid}:$folder" }
        try {
            Read-Permission -Name Get-MailboxFolderPermission -Parameter $asked -Folder $shown -Setting $Setting
        } catch {
            if ($_.Exception.Data['BypassErrorClass'] -ne 'not_found') { throw }
            $missing.Add("the folder $($shown.Substring(1)), which has another name in this mailbox")
        }
    }
    $missing.Add('other folders')
}

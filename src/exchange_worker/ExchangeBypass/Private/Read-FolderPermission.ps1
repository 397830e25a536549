function Read-FolderPermission {
    <#
    .SYNOPSIS
    Returns the permissions on the root, the inbox, the sent items and the calendar of a mailbox.

    .DESCRIPTION
    Folders have the names of the mailbox's language. One that is not found under its English name is listed in
    $missing, which Read-AnswerSection returns as not enumerated.

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

    foreach ($folder in '\', '\Inbox', '\Sent Items', '\Calendar') {
        $asked = @{ Identity = "${ExchangeGuid}:$folder" }
        try {
            Read-Permission -Name Get-MailboxFolderPermission -Parameter $asked -Folder $folder -Setting $Setting
        } catch {
            if ($folder -eq '\' -or $_.Exception.Data['BypassErrorClass'] -ne 'not_found') { throw }
            $missing.Add("the folder $($folder.Substring(1)), which has another name in this mailbox")
        }
    }
    $missing.Add('other folders')
}

function Read-AccountAccess {
    <#
    .SYNOPSIS
    Returns where an account's mail goes, and who can open what: the content of read_account.

    .DESCRIPTION
    Permissions in Exchange: Get-User, Get-Mailbox, Get-EXOMailbox, Get-InboxRule, Get-MailboxPermission,
    Get-RecipientPermission, Get-MailboxFolderPermission, Get-MailboxFolderStatistics. Each section needs only its own.

    .PARAMETER Command
    The command.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $guid = (Resolve-ExchangeObject -ObjectId $Command['object_id'] -Setting $Setting).exchange_guid
    $all = @{ Identity = $guid; ResultSize = 'Unlimited' }
    $behalf = {
        $user = (Invoke-ExchangeCmdlet -Name Get-User -Parameter @{ Identity = $guid } -Setting $Setting).Rows[0]
        $name = ([string]$user.DistinguishedName).Replace("'", "''")
        $asked = @{ Filter = "GrantSendOnBehalfTo -eq '$name'"; ResultSize = 'Unlimited' }
        foreach ($row in (Invoke-ExchangeCmdlet -Name Get-Mailbox -Parameter $asked -Setting $Setting).Rows) {
            $mailbox = [string](Get-RowValue -Row $row -Name PrimarySmtpAddress)
            [ordered]@{ mailbox = $mailbox; trustee = $guid; rights = [string[]]@('SendOnBehalf') }
        }
    }
    $reads = [ordered]@{
        mailbox            = { ConvertTo-MailboxState -Row (Read-MailboxByGuid -ExchangeGuid $guid -Setting $Setting) }
        inbox_rules        = { Read-InboxRule -ExchangeGuid $guid -Setting $Setting }
        opened_by          = { Read-Permission -Name Get-MailboxPermission -Parameter $all -Setting $Setting }
        sent_as_by         = { Read-Permission -Name Get-RecipientPermission -Parameter $all -Setting $Setting }
        folder_permissions = { Read-FolderPermission -ExchangeGuid $guid -Setting $Setting }
        can_send_as        = {
            $asked = @{ Trustee = $guid; ResultSize = 'Unlimited' }
            Read-Permission -Name Get-RecipientPermission -Parameter $asked -Setting $Setting
        }
        can_send_on_behalf = $behalf
        can_open           = {
            Read-SharedMailboxAccess -ExchangeGuid $guid -MostChecks $Command['most_checks'] -Setting $Setting
        }
    }
    $content = [ordered]@{ object_id = $Command['object_id']; exchange_guid = $guid }
    foreach ($name in @($reads.Keys | Where-Object { $_ -cin $Command['sections'] })) {
        $content[$name] = Read-AnswerSection -Read $reads[$name] -MostItems $Command['most_items']
    }
    $content
}

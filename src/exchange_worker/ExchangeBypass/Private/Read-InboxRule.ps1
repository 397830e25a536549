function Read-InboxRule {
    <#
    .SYNOPSIS
    Returns the inbox rules of a mailbox, the hidden ones too.

    .DESCRIPTION
    A rule does not say that it is hidden: it is listed with -IncludeHidden only, so the rules are listed twice. Of a
    condition only its name is returned: the words that it looks for may be those of a message.
    Permission in Exchange: Get-InboxRule, which view-only roles do not have.

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

    $conditions = 'SubjectContainsWords', 'BodyContainsWords', 'SubjectOrBodyContainsWords', 'From',
        'FromAddressContainsWords', 'SentTo', 'RecipientAddressContainsWords', 'HeaderContainsWords', 'HasAttachment',
        'FlaggedForAction', 'WithImportance', 'WithSensitivity', 'MessageTypeMatches', 'MyNameInToBox',
        'MyNameInCcBox', 'MyNameInToOrCcBox', 'MyNameNotInToBox', 'SentOnlyToMe', 'ReceivedAfterDate',
        'ReceivedBeforeDate', 'WithinSizeRangeMinimum', 'WithinSizeRangeMaximum'
    $asked = @{ Mailbox = $ExchangeGuid; ResultSize = 'Unlimited' }
    $shown = (Invoke-ExchangeCmdlet -Name Get-InboxRule -Parameter $asked -Setting $Setting).Rows
    $all = Invoke-ExchangeCmdlet -Name Get-InboxRule -Parameter ($asked + @{ IncludeHidden = $true }) -Setting $Setting
    $visible = @($shown | ForEach-Object { [string]$_.RuleIdentity })
    foreach ($row in $all.Rows) {
        $list = { ConvertTo-TextList -Value (Get-RowValue -Row $row -Name $args[0]) }
        $flag = { (ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name $args[0])) -eq $true }
        [ordered]@{
            id                       = [string]$row.RuleIdentity
            name                     = [string]$row.Name
            enabled                  = ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name Enabled)
            hidden                   = [string]$row.RuleIdentity -notin $visible
            forward_to               = & $list ForwardTo
            redirect_to              = & $list RedirectTo
            forward_as_attachment_to = & $list ForwardAsAttachmentTo
            delete                   = (& $flag DeleteMessage) -or (& $flag SoftDeleteMessage)
            move_to                  = [string](Get-RowValue -Row $row -Name MoveToFolder)
            mark_as_read             = & $flag MarkAsRead
            stop_processing          = & $flag StopProcessingRules
            conditions               = [string[]]@($conditions | Where-Object {
                    $value = Get-RowValue -Row $row -Name $_
                    @($value | Where-Object { $_ -and "$_" -ne 'False' }).Count -gt 0
                })
        }
    }
}

function ConvertTo-MailboxState {
    <#
    .SYNOPSIS
    Returns where a mailbox forwards to, who may send on its behalf, and what it audits.

    .PARAMETER Row
    The mailbox.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [psobject]$Row
    )

    [ordered]@{
        type                    = [string](Get-RowValue -Row $Row -Name RecipientTypeDetails)
        forwarding_address      = [string](Get-RowValue -Row $Row -Name ForwardingAddress)
        forwarding_smtp_address = [string](Get-RowValue -Row $Row -Name ForwardingSmtpAddress)
        deliver_and_forward     = ConvertTo-OptionalFlag -Value (Get-RowValue -Row $Row -Name DeliverToMailboxAndForward)
        send_on_behalf          = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name GrantSendOnBehalfTo)
        audit                   = ConvertTo-AuditSetting -Row $Row
    }
}

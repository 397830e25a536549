function ConvertTo-MailboxRow {
    <#
    .SYNOPSIS
    Returns one mailbox as a line of a shard's blob has it.

    .PARAMETER Row
    The mailbox.

    .PARAMETER CreatedAt
    When it was created, in UTC; null when Exchange did not return it.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [psobject]$Row,

        [Parameter(Mandatory)]
        [AllowNull()]
        [object]$CreatedAt
    )

    [ordered]@{
        object_id     = ConvertTo-GuidText -Value (Get-RowValue -Row $Row -Name ExternalDirectoryObjectId)
        exchange_guid = ConvertTo-GuidText -Value (Get-RowValue -Row $Row -Name Guid)
        upn           = [string](Get-RowValue -Row $Row -Name UserPrincipalName)
        address       = [string](Get-RowValue -Row $Row -Name PrimarySmtpAddress)
        display_name  = [string](Get-RowValue -Row $Row -Name DisplayName)
        type          = [string](Get-RowValue -Row $Row -Name RecipientTypeDetails)
        created_at    = if ($CreatedAt) { $CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'") } else { $null }
        capabilities  = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name PersistedCapabilities)
        audit         = ConvertTo-AuditSetting -Row $Row
    }
}

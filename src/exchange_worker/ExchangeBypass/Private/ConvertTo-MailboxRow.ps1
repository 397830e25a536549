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

    $of = $Row.PSObject.Properties
    [ordered]@{
        object_id     = ConvertTo-GuidText -Value $of['ExternalDirectoryObjectId']?.Value
        exchange_guid = ConvertTo-GuidText -Value $of['Guid']?.Value
        upn           = [string]$of['UserPrincipalName']?.Value
        address       = [string]$of['PrimarySmtpAddress']?.Value
        display_name  = [string]$of['DisplayName']?.Value
        type          = [string]$of['RecipientTypeDetails']?.Value
        created_at    = if ($CreatedAt) { $CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'") } else { $null }
        capabilities  = ConvertTo-TextList -Value $of['PersistedCapabilities']?.Value
        audit         = ConvertTo-AuditSetting -Row $Row
    }
}

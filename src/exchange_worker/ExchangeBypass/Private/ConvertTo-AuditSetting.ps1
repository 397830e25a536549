function ConvertTo-AuditSetting {
    <#
    .SYNOPSIS
    Returns the audit settings of a mailbox in the form of the contract.

    .PARAMETER Row
    The mailbox, with the property set Audit.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [psobject]$Row
    )

    $limit = [string](Get-RowValue -Row $Row -Name AuditLogAgeLimit)
    [ordered]@{
        enabled     = ConvertTo-OptionalFlag -Value (Get-RowValue -Row $Row -Name AuditEnabled)
        age_limit   = if ($limit) { $limit } else { $null }
        default_set = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name DefaultAuditSet)
        admin       = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name AuditAdmin)
        delegate    = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name AuditDelegate)
        owner       = ConvertTo-TextList -Value (Get-RowValue -Row $Row -Name AuditOwner)
    }
}

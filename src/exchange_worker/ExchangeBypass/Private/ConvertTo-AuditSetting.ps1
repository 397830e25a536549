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

    $of = $Row.PSObject.Properties
    $limit = [string]$of['AuditLogAgeLimit']?.Value
    [ordered]@{
        enabled     = ConvertTo-OptionalFlag -Value $of['AuditEnabled']?.Value
        age_limit   = if ($limit) { $limit } else { $null }
        default_set = ConvertTo-TextList -Value $of['DefaultAuditSet']?.Value
        admin       = ConvertTo-TextList -Value $of['AuditAdmin']?.Value
        delegate    = ConvertTo-TextList -Value $of['AuditDelegate']?.Value
        owner       = ConvertTo-TextList -Value $of['AuditOwner']?.Value
    }
}

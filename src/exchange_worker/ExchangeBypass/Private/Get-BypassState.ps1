function Get-BypassState {
    <#
    .SYNOPSIS
    Reads whether the bypass of this object, and no other, is on.

    .DESCRIPTION
    Get-MailboxAuditBypassAssociation answers an identity that it does not know with every object there is. So exactly
    one row has to come, and it has to carry the GUID that was asked for; anything else ends the command.

    .PARAMETER ExchangeGuid
    The object.

    .PARAMETER Answer
    Its read_at is set to the start of this read.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [ValidateScript({ Test-Guid -Value $_ })]
        [string]$ExchangeGuid,

        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $readAt = Get-UtcNow
    $asked = @{ Identity = $ExchangeGuid; ResultSize = 2 }
    $rows = (Invoke-ExchangeCmdlet -Name Get-MailboxAuditBypassAssociation -Parameter $asked -Setting $Setting).Rows
    if ($rows.Count -ne 1 -or [string]$rows[0].Guid -ne $ExchangeGuid) {
        $reason = "Exchange did not answer for $ExchangeGuid alone; the object may have been deleted meanwhile."
        Exit-BypassCommand -Outcome failed -ErrorClass not_found -Reason $reason
    }
    $state = ConvertTo-BypassFlag -Value $rows[0].AuditBypassEnabled
    $Answer.read_at = $readAt
    $state
}

function Get-BypassState {
    <#
    .SYNOPSIS
    Reads whether the bypass of exactly this object is on.

    .DESCRIPTION
    For an unknown identity, Get-MailboxAuditBypassAssociation returns every object. So the answer must be exactly one
    row with the requested GUID; anything else ends the command.

    .PARAMETER ExchangeGuid
    The Exchange GUID of the object.

    .PARAMETER Answer
    The answer; read_at is set to the start of this read.

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
        $reason = "Exchange did not return exactly the object $ExchangeGuid; it may have been deleted meanwhile."
        Exit-BypassCommand -Outcome failed -ErrorClass not_found -Reason $reason
    }
    $state = ConvertTo-BypassFlag -Value $rows[0].AuditBypassEnabled
    $Answer.read_at = $readAt
    $state
}

function Read-MailboxByGuid {
    <#
    .SYNOPSIS
    Returns the one mailbox with this Exchange GUID.

    .DESCRIPTION
    For an unknown identity some cmdlets return every object, so exactly one row with the requested GUID is accepted.
    Anything else ends the command as not found.

    .PARAMETER ExchangeGuid
    The Exchange GUID of the object.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [ValidateScript({ Test-Guid -Value $_ })]
        [string]$ExchangeGuid,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $asked = @{ Identity = $ExchangeGuid; ResultSize = 2 }
    $rows = (Invoke-ExchangeCmdlet -Name Get-Mailbox -Parameter $asked -Setting $Setting).Rows
    if ($rows.Count -ne 1 -or [string]$rows[0].Guid -ne $ExchangeGuid) {
        $reason = "Exchange did not return exactly the mailbox $ExchangeGuid."
        Exit-BypassCommand -Outcome not_found -ErrorClass not_found -Reason $reason
    }
    $rows[0]
}

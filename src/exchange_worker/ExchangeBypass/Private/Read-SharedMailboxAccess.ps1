function Read-SharedMailboxAccess {
    <#
    .SYNOPSIS
    Returns the shared mailboxes that an account can open, as far as they were checked.

    .DESCRIPTION
    Exchange has no reverse look-up of FullAccess: each mailbox is asked. So only shared ones are, up to a bound; what
    was not checked is listed in $missing, which Read-AnswerSection returns as not enumerated.
    Permissions in Exchange: Get-EXOMailbox, Get-MailboxPermission.

    .PARAMETER ExchangeGuid
    The Exchange GUID of the account.

    .PARAMETER MostChecks
    How many mailboxes are asked at most.

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
        [int]$MostChecks,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $asked = @{ RecipientTypeDetails = 'SharedMailbox'; ResultSize = $MostChecks + 1 }
    $shared = (Invoke-ExchangeCmdlet -Name Get-EXOMailbox -Parameter $asked -Setting $Setting).Rows
    $checked = 0
    foreach ($row in $shared | Select-Object -First $MostChecks) {
        if ([datetime]::UtcNow -gt $Setting.Deadline) { break }
        $which = @{ Identity = [string]$row.Guid; User = $ExchangeGuid }
        Read-Permission -Name Get-MailboxPermission -Parameter $which -Setting $Setting |
            Where-Object { -not $_.deny } |
            ForEach-Object { $_.mailbox = [string]$row.PrimarySmtpAddress; $_ }
        $checked++
    }
    if ($shared.Count -gt $checked) { $missing.Add("FullAccess to shared mailboxes after the first $checked") }
    $missing.Add('FullAccess to mailboxes that are not shared')
    $missing.Add('access through a group')
}

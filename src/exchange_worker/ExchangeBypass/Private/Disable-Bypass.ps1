function Disable-Bypass {
    <#
    .SYNOPSIS
    Switches the bypass of a resolved object off, reads it back, and gives the outcome.

    .DESCRIPTION
    already_off: it was off, nothing was changed. verified: set, and read back as off. unverified: set, and still read
    as on after READ_BACK_SECONDS; Exchange may take minutes to replicate, so the responder asks again.
    Repeating it is harmless. Permission in Exchange: Set-MailboxAuditBypassAssociation.

    .PARAMETER Answer
    Has resolved and before; attempts, after and read_at are filled in.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    if (-not $Answer.before) {
        $Answer.after = $Answer.before
        return 'already_off'
    }
    $guid = $Answer.resolved.exchange_guid
    if ($PSCmdlet.ShouldProcess($guid, 'Set-MailboxAuditBypassAssociation -AuditBypassEnabled $false')) {
        $Answer.attempts = 1
        $change = @{ Identity = $guid; AuditBypassEnabled = $false; Confirm = $false }
        $null = Invoke-ExchangeCmdlet -Name Set-MailboxAuditBypassAssociation -Parameter $change -Setting $Setting
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $Answer.after = Get-BypassState -ExchangeGuid $guid -Answer $Answer -Setting $Setting
        if (-not $Answer.after) { return 'verified' }
        if ($watch.Elapsed.TotalSeconds -ge $Setting.ReadBackSeconds) { return 'unverified' }
        Start-Sleep -Milliseconds ([int][Math]::Min(500, $Setting.ReadBackSeconds * 1000))
    }
}

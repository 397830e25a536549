function Disable-Bypass {
    <#
    .SYNOPSIS
    Switches off the bypass of a resolved object, reads it back and returns the outcome.

    .DESCRIPTION
    already_off: the bypass was off; nothing was changed. verified: switched off, and read back as off. unverified:
    switched off, but still read as on after READ_BACK_SECONDS; replication in Exchange may take minutes, so the
    responder sends the command again.
    Repeating it is harmless. Permission in Exchange: Set-MailboxAuditBypassAssociation.

    .PARAMETER Answer
    The answer, with resolved and before; this function sets attempts, after and read_at.

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

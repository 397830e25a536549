function Set-AuditSetting {
    <#
    .SYNOPSIS
    Sets the audit settings of one mailbox; returns what was read back (Settings), and whether it is as wanted (Same).

    .PARAMETER ExchangeGuid
    The Exchange GUID of the mailbox.

    .PARAMETER Before
    Its settings now.

    .PARAMETER Wanted
    The settings that it is meant to have.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [ValidateScript({ Test-Guid -Value $_ })]
        [string]$ExchangeGuid,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Before,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Wanted,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $parameter = Get-AuditParameter -Before $Before -Wanted $Wanted
    if ($PSCmdlet.ShouldProcess($ExchangeGuid, "Set-Mailbox -$($parameter.Keys -join ' -')")) {
        $parameter += @{ Identity = $ExchangeGuid; Confirm = $false }
        $null = Invoke-ExchangeCmdlet -Name Set-Mailbox -Parameter $parameter -Setting $Setting
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $now = ConvertTo-AuditSetting -Row (Read-MailboxByGuid -ExchangeGuid $ExchangeGuid -Setting $Setting)
        $same = Test-SameAuditSetting -One $now -Other $Wanted
        if ($same -or $watch.Elapsed.TotalSeconds -ge $Setting.ReadBackSeconds) {
            return [pscustomobject]@{ Settings = $now; Same = $same }
        }
        Start-Sleep -Milliseconds ([int][Math]::Min(500, $Setting.ReadBackSeconds * 1000))
    }
}

function Invoke-ExchangeCmdlet {
    <#
    .SYNOPSIS
    Runs one Exchange cmdlet, with retries. Returns the kept Rows, the number of rows read (Scanned), and the Warnings.

    .DESCRIPTION
    Transient errors are tried four times in all, with doubling pauses; an expired session is reopened once. Every
    other error ends the command. Each attempt starts at the first row; rows of a failed attempt are discarded.

    .PARAMETER Name
    The cmdlet.

    .PARAMETER Parameter
    Its parameters. Values are bound, never inserted into script text.

    .PARAMETER Keep
    Decides which rows to keep. It is called for each row as it arrives, so a large tenant need not fit into memory.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('Get-User', 'Get-MailboxAuditBypassAssociation', 'Set-MailboxAuditBypassAssociation',
            'Get-OrganizationConfig', 'Get-AdminAuditLogConfig')]
        [string]$Name,

        [hashtable]$Parameter = @{},

        [scriptblock]$Keep = { $true },

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $tries = 4
    $pause = $Setting.RetryPauseSeconds
    $reconnected = $false
    for ($try = 1; $true; $try++) {
        try {
            Connect-ExchangeOnce -Setting $Setting
            return Read-ExchangeRow -Name $Name -Parameter $Parameter -Keep $Keep
        } catch {
            if ($_.Exception.Data.Contains('BypassOutcome')) { throw }
            $problem = Resolve-ExchangeError -ErrorRecord $_ -Name $Name
        }
        if ($problem.SessionExpired -and -not $reconnected) {
            $reconnected = $true
            Disconnect-ExchangeOnline -Confirm:$false
        } elseif ($problem.Class -eq 'transient' -and $try -lt $tries) {
            Start-Sleep -Milliseconds ([int]($pause * 1000))
            $pause *= 2
        } else {
            $class = if ($problem.Class) { @{ ErrorClass = $problem.Class } } else { @{} }
            Exit-BypassCommand -Outcome $problem.Outcome -Reason $problem.Message @class
        }
    }
}

function Invoke-ExchangeCmdlet {
    <#
    .SYNOPSIS
    Runs one cmdlet of Exchange and gives its Rows, how many came (Scanned), and its Warnings.

    .DESCRIPTION
    What may pass by itself is tried four times, with pauses that double; an expired session is opened anew once.
    Everything else ends the command. A try that broke off leaves nothing behind: the next one starts from the first
    row.

    .PARAMETER Name
    The cmdlet.

    .PARAMETER Parameter
    Its parameters. Values are bound, never put into a text that is run.

    .PARAMETER Keep
    Which rows to keep; called with each row as it comes, so that a tenant need not fit into memory.

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

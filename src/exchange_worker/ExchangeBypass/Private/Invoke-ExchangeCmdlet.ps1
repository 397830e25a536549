function Invoke-ExchangeCmdlet {
    <#
    .SYNOPSIS
    Runs one Exchange cmdlet, with retries. Returns the kept Rows, the number of rows read (Scanned), and the Warnings.

    .DESCRIPTION
    Transient errors are tried four times in all, with doubling pauses; an expired session is reopened once. Every
    other error ends the command. Each attempt starts at the first row; rows of a failed attempt are discarded. After
    the deadline no attempt begins.

    .PARAMETER Name
    The cmdlet.

    .PARAMETER Parameter
    Its parameters. Values are bound, never inserted into script text.

    .PARAMETER Keep
    Decides which rows to keep. It is called for each row as it arrives, so a large tenant need not fit into memory.

    .PARAMETER Start
    Runs before each attempt: it discards what Keep has stored of the one before.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('Get-User', 'Get-MailboxAuditBypassAssociation', 'Set-MailboxAuditBypassAssociation',
            'Get-OrganizationConfig', 'Get-AdminAuditLogConfig', 'Get-Mailbox', 'Get-EXOMailbox', 'Get-InboxRule',
            'Get-MailboxPermission', 'Get-RecipientPermission', 'Get-MailboxFolderPermission',
            'Get-MailboxFolderStatistics', 'Get-ManagementRole', 'Get-ManagementRoleAssignment',
            'Get-ManagementRoleEntry', 'Get-RoleGroupMember', 'Set-Mailbox')]
        [string]$Name,

        [hashtable]$Parameter = @{},

        [scriptblock]$Keep = { $true },

        [scriptblock]$Start = {},

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $tries = 4
    $pause = $Setting.RetryPauseSeconds
    $reconnected = $false
    for ($try = 1; $true; $try++) {
        if ([datetime]::UtcNow -gt $Setting.Deadline) {
            Exit-BypassCommand -Outcome failed -ErrorClass transient -Reason "The time of this read was up before $Name."
        }
        & $Start
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

<#
.SYNOPSIS
Lists what each mailbox audits as the widely used script does: one call for the list, then two calls per mailbox.

.DESCRIPTION
Not that script: its pattern of calls, on the stand-in module. Prints the number of mailboxes.

.PARAMETER ModulePath
Where the stand-in module is.
#>
param([Parameter(Mandatory)][string]$ModulePath)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$env:PSModulePath = $ModulePath + [System.IO.Path]::PathSeparator + $env:PSModulePath
Import-Module ExchangeOnlineManagement
$identity = @{ ManagedIdentity = $true; ManagedIdentityAccountId = $env:AZURE_CLIENT_ID }
Connect-ExchangeOnline @identity -Organization $env:EXCHANGE_ORGANIZATION -ShowBanner:$false
$rows = foreach ($mailbox in Get-EXOMailbox -ResultSize Unlimited -PropertySets Minimum) {
    $bypass = Get-MailboxAuditBypassAssociation -Identity $mailbox.Guid
    $audited = Get-Mailbox -Identity $mailbox.Guid
    [pscustomobject]@{ Name = $mailbox.DisplayName; Bypassed = $bypass.AuditBypassEnabled; Set = $audited.DefaultAuditSet }
}
@($rows).Count

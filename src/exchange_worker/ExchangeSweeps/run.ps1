<#
.SYNOPSIS
Answers one list_bypassed command from the queue exchange-sweeps.

.DESCRIPTION
The accounts go into a blob that is named after the queue message, so a redelivered message overwrites its own blob. The
answer has their number and the blob's hash. Sweeps have a separate queue so that a long sweep never delays a
remediation.
#>
param($QueueItem, $TriggerMetadata)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '..' 'ExchangeBypass' 'ExchangeBypass.psd1')

$command = Read-BypassMessage -Message $QueueItem
$sweep = Invoke-BypassSweep -Command $command -BlobName "$($TriggerMetadata.Id).json"
if ($null -ne $sweep.Content) {
    Push-OutputBinding -Name Sweep -Value $sweep.Content
}
$answer = $sweep.Answer
Push-OutputBinding -Name Result -Value ($answer | ConvertTo-Json -Compress -Depth 4)
$summary = $answer.kind, $answer.command_id, $answer.outcome, $answer.duration_seconds
Write-Information ('{0} {1}: {2} after {3} s' -f $summary)

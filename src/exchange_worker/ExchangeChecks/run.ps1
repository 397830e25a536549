<#
.SYNOPSIS
Answers one check_bypass from the queue exchange-checks.

.DESCRIPTION
Checks have a separate queue so that many of them never delay a remediation.
A message without a command_id cannot be answered: the function fails, and after five attempts the host moves the
message to the poison queue, which the responder drains.
#>
param($QueueItem, $TriggerMetadata)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '..' 'ExchangeBypass' 'ExchangeBypass.psd1')

$command = Read-BypassMessage -Message $QueueItem
$answer = Invoke-BypassCommand -Command $command -Deliveries $TriggerMetadata.DequeueCount
Push-OutputBinding -Name Result -Value ($answer | ConvertTo-Json -Compress -Depth 4)
$summary = $answer.kind, $answer.command_id, $answer.outcome, $answer.duration_seconds
Write-Information ('{0} {1}: {2} after {3} s' -f $summary)

<#
.SYNOPSIS
Answers one command from the queue exchange-reads.

.DESCRIPTION
These commands may take minutes, so they have a separate queue: neither a remediation nor a sweep waits for them. What
was read goes into a blob that is named after the queue message, so a redelivered message overwrites its own blob. The
record that a change needs is a blob that only the worker can write, and beside it lies what the change ended with.
#>
param($QueueItem, $Recorded, $Ended, $TriggerMetadata)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '..' 'ExchangeBypass' 'ExchangeBypass.psd1')

$command = Read-BypassMessage -Message $QueueItem
$message = @{ MessageId = $TriggerMetadata.Id; Deliveries = $TriggerMetadata.DequeueCount }
$read = Invoke-BypassRead -Command $command @message -Record $Recorded -Ended $Ended
if ($null -ne $read.Content) { Push-OutputBinding -Name Rows -Value $read.Content }
if ($null -ne $read.Record) { Push-OutputBinding -Name Record -Value $read.Record }
if ($null -ne $read.Ended) { Push-OutputBinding -Name NowEnded -Value $read.Ended }
$answer = $read.Answer
Push-OutputBinding -Name Result -Value ($answer | ConvertTo-Json -Compress -Depth 6)
$summary = $answer.kind, $answer.command_id, $answer.outcome, $answer.duration_seconds
Write-Information ('{0} {1}: {2} after {3} s' -f $summary)

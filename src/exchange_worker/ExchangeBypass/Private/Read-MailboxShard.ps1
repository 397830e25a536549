function Read-MailboxShard {
    <#
    .SYNOPSIS
    Writes the audit settings of one shard into Content, row by row; returns Scanned, Warnings and why it is Partial.

    .DESCRIPTION
    No row is kept in memory but as compressed text, and of these at most MostRows. A mailbox without a time of creation
    belongs to the shard that asked for it. Partial is null when every row was read.
    Permissions in Exchange: Get-EXOMailbox; for groups and public folders Get-Mailbox.

    .PARAMETER Shard
    The shard, as the command has it.

    .PARAMETER MostRows
    How many rows are kept at most.

    .PARAMETER Content
    The content, as Reset-Content makes it.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Shard,

        [Parameter(Mandatory)]
        [int]$MostRows,

        [Parameter(Mandatory)]
        [hashtable]$Content,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $since = ConvertTo-UtcTime -Value $Shard['since']
    $until = ConvertTo-UtcTime -Value $Shard['until']
    $shardRead = [pscustomobject]@{ Scanned = 0; Warnings = @(); Partial = $null }
    $start = { Reset-Content -Content $Content; $shardRead.Scanned = 0 }
    $keep = {
        $row = $args[0]
        $shardRead.Scanned++
        $of = $row.PSObject.Properties
        $created = ConvertTo-UtcTime -Value ($of['WhenCreatedUTC']?.Value ?? $of['WhenCreated']?.Value)
        $outside = $created -and (($since -and $created -lt $since) -or ($until -and $created -ge $until))
        if ($outside) { return $false }
        if ($Content.Rows -ge $MostRows) {
            $shardRead.Partial = "the shard has more than $MostRows mailboxes"
        } elseif ([datetime]::UtcNow -gt $Setting.Deadline) {
            $shardRead.Partial = "the time of this read was up after $($shardRead.Scanned) mailboxes"
        }
        if ($shardRead.Partial) { Exit-BypassCommand -Outcome failed -Reason $shardRead.Partial }
        Add-ContentLine -Content $Content -Line (ConvertTo-MailboxRow -Row $row -CreatedAt $created)
        if ($Content.Rows % 5000 -eq 0) { Write-Information "$($Content.Rows) mailboxes read" }
        $false
    }
    $question = Get-ShardQuestion -Shard $Shard
    try {
        $read = Invoke-ExchangeCmdlet @question -Keep $keep -Start $start -Setting $Setting
        $shardRead.Warnings = @($read.Warnings)
    } catch {
        if (-not $shardRead.Partial) { throw }
    }
    $shardRead
}

function Invoke-BypassRead {
    <#
    .SYNOPSIS
    Carries out one command from the queue exchange-reads.

    .DESCRIPTION
    Returns Answer (the message for the queue), Content (the bytes of the blob that it names, or null), Record (the bytes
    that record_mailbox stores, or null) and Ended (apply or undo when a change has ended, or null). Never throws because
    of the command's content. All kinds but apply_mailbox only read. An unknown kind is answered as read_account, refused.

    .PARAMETER Command
    The command, as Read-BypassMessage returns it.

    .PARAMETER MessageId
    The id of the queue message, after which both blobs are named.

    .PARAMETER Deliveries
    How often the queue has delivered the message. Only at the first delivery a record is made: a change may have
    followed, and the record has the settings before it.

    .PARAMETER Record
    What the binding returned for the record that the command names; null when there is none.

    .PARAMETER Ended
    What the binding returned for the end of the change of that record; null when it has not ended.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [string]$MessageId,

        [ValidateRange('Positive')]
        [int]$Deliveries = 1,

        [AllowNull()]
        [object]$Record,

        [AllowNull()]
        [object]$Ended
    )

    $fields = @{
        read_account      = 'object_id', 'sections', 'most_items', 'most_checks'
        read_organization = , 'most_items'
        read_mailboxes    = 'shard', 'most_rows'
        record_mailbox    = , 'object_id'
        apply_mailbox     = 'object_id', 'expected', 'change', 'undo'
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $known = $Command['kind'] -is [string] -and $Command['kind'] -cin $fields.Keys
    $bytes = $null
    $stored = $null
    $end = $null
    $content = @{ Memory = $null; Writer = $null; Rows = 0 }
    $answer = [ordered]@{
        schema_version   = 1
        command_id       = $Command['command_id']
        kind             = if ($known) { $Command['kind'] } else { 'read_account' }
        tenant_id        = Get-AnswerTenant -Command $Command
        outcome          = $null
        started_at       = Get-UtcNow
        complete         = $false
        partial          = $null
        blob             = $null
        sha256           = $null
        rows             = 0
        scanned          = 0
        warnings         = @()
        before           = $null
        after            = $null
        record           = $null
        exchange_guid    = $null
        deliveries       = $Deliveries
        duration_seconds = 0
        worker           = $null
        error            = $null
        error_class      = $null
    }
    try {
        $setting = Get-WorkerSetting
        $given = @{
            Kind    = [string[]]$fields.Keys
            Field   = @('schema_version', 'command_id', 'kind', 'tenant_id', 'record', 'most_seconds', 'not_after') +
                @($fields[$answer.kind])
            Problem = { Get-ReadProblem -Command $Command }
        }
        Assert-BypassCommand -Command $Command -TenantId $setting.TenantId @given
        $setting.Cmdlets = Get-ReadCmdlet
        $setting.Deadline = [datetime]::UtcNow.AddSeconds($Command['most_seconds'])
        switch -CaseSensitive ($answer.kind) {
            'record_mailbox' {
                if ($Deliveries -gt 1) {
                    $reason = 'The command was delivered before, and may have made its record. Ask with a new one.'
                    Exit-BypassCommand -Outcome refused -ErrorClass transient -Reason $reason
                }
                $guid = (Resolve-ExchangeObject -ObjectId $Command['object_id'] -Setting $setting).exchange_guid
                $answer.exchange_guid = $guid
                $row = Read-MailboxByGuid -ExchangeGuid $guid -Setting $setting
                $answer.before = ConvertTo-AuditSetting -Row $row
                $stored = ConvertTo-RecordContent -Command $Command -Settings $answer.before
                $answer.record = $MessageId
                $answer.outcome = 'recorded'
            }
            'apply_mailbox' {
                $kept = @{ Record = ConvertTo-MailboxRecord -Value $Record; Ended = ConvertTo-BlobText -Value $Ended }
                $answer.outcome = Update-MailboxAudit -Command $Command @kept -Answer $answer -Setting $setting
                if ($answer.outcome -in 'applied', 'already', 'reverted', 'less' -and $kept.Ended -cne 'undo') {
                    $end = if ($Command['undo'] -or $answer.outcome -eq 'reverted') { 'undo' } else { 'apply' }
                }
            }
            default {
                Read-AnswerContent -Command $Command -Content $content -Answer $answer -Setting $setting
                $content.Writer.Dispose()
                $bytes = $content.Memory.ToArray()
                $answer.rows = $content.Rows
                $answer.blob = "$MessageId.jsonl.gz"
                $hash = [System.Security.Cryptography.SHA256]::HashData($bytes)
                $answer.sha256 = [Convert]::ToHexString($hash).ToLowerInvariant()
                $answer.outcome = 'read'
            }
        }
    } catch {
        Add-AnswerError -Answer $answer -ErrorRecord $_
    }
    $answer.worker = Get-WorkerVersion
    $answer.duration_seconds = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
    [pscustomobject]@{ Answer = $answer; Content = $bytes; Record = $stored; Ended = $end }
}

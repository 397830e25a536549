function Invoke-BypassSweep {
    <#
    .SYNOPSIS
    Carries out list_bypassed: reads all accounts whose bypass is on, and the organization's audit switches.

    .DESCRIPTION
    Returns Answer (the message for the queue) and Content (the bytes of the blob that it names, or null).
    The answer is complete only when Exchange returned neither an error nor a warning. It has the first 20 warnings that
    differ in more than names and numbers, each cut to 500 characters, to fit into a queue message; the responder
    decides which ones matter. Never throws because of the command's content.
    Permissions in Exchange: Get-User, Get-MailboxAuditBypassAssociation, Get-OrganizationConfig,
    Get-AdminAuditLogConfig.

    .PARAMETER Command
    The command, as Read-BypassMessage returns it.

    .PARAMETER BlobName
    The name of the blob in the container sweeps.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [string]$BlobName
    )

    $mostWarnings = 20
    $longestWarning = 500
    $varies = '(?<=\bobject )\S.*?(?= has been )|"[^"]*"|(?<!\w)''[^'']*''(?!\w)|\S*\d\S*'
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $content = $null
    $answer = [ordered]@{
        schema_version                         = 1
        command_id                             = $Command['command_id']
        kind                                   = 'list_bypassed'
        tenant_id                              = Get-AnswerTenant -Command $Command
        outcome                                = $null
        complete                               = $false
        started_at                             = Get-UtcNow
        scanned                                = 0
        bypassed                               = 0
        blob                                   = $null
        sha256                                 = $null
        audit_disabled                         = $null
        unified_audit_log_ingestion_enabled    = $null
        warnings                               = @()
        duration_seconds                       = 0
        worker                                 = $null
        error                                  = $null
        error_class                            = $null
    }
    try {
        $setting = Get-WorkerSetting
        Assert-BypassCommand -Command $Command -Kind 'list_bypassed' -TenantId $setting.TenantId
        $list = Get-BypassedObject -Setting $setting
        $switches = Get-OrganizationSwitch -Setting $setting
        $answer.audit_disabled = $switches.AuditDisabled
        $answer.unified_audit_log_ingestion_enabled = $switches.UnifiedAuditLogIngestionEnabled
        $answer.scanned = $list.Scanned
        $answer.bypassed = $list.Objects.Count
        $warnings = @($list.Warnings) + @($switches.Warnings)
        $answer.complete = $warnings.Count -eq 0
        $cut = @($warnings | ForEach-Object { $_.Substring(0, [Math]::Min($longestWarning, $_.Length)) })
        $forms = @($cut | Group-Object -Property { $_ -replace $varies, '_' } | ForEach-Object { $_.Group[0] })
        $answer.warnings = @($forms | Select-Object -First $mostWarnings)
        if ($forms.Count -gt $mostWarnings) {
            $answer.warnings += "$($forms.Count - $mostWarnings) more warnings"
        }
        $content = ConvertTo-SweepContent -Answer $answer -Objects $list.Objects
        $answer.blob = $BlobName
        $hash = [System.Security.Cryptography.SHA256]::HashData($content)
        $answer.sha256 = [Convert]::ToHexString($hash).ToLowerInvariant()
        $answer.outcome = 'listed'
    } catch {
        Add-AnswerError -Answer $answer -ErrorRecord $_
    }
    $answer.worker = Get-WorkerVersion
    $answer.duration_seconds = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
    [pscustomobject]@{ Answer = $answer; Content = $content }
}

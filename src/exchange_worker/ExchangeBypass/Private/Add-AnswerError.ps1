function Add-AnswerError {
    <#
    .SYNOPSIS
    Records in an answer how and why its command ended early.

    .PARAMETER Answer
    The answer so far.

    .PARAMETER ErrorRecord
    The caught error: thrown by Exit-BypassCommand, or unexpected.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [System.Management.Automation.ErrorRecord]$ErrorRecord
    )

    $data = $ErrorRecord.Exception.Data
    $foreseen = $data.Contains('BypassOutcome')
    $Answer.outcome = if ($foreseen) { $data['BypassOutcome'] } else { 'failed' }
    $Answer.error_class = if ($foreseen) { $data['BypassErrorClass'] } else { 'other' }
    if ($data['BypassCandidates'] -and $Answer.Contains('candidates')) { $Answer.candidates = $data['BypassCandidates'] }
    $Answer.error = $ErrorRecord.Exception.Message
}

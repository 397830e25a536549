function Exit-BypassCommand {
    <#
    .SYNOPSIS
    Ends the command with an outcome and a reason that an operator can act on.

    .DESCRIPTION
    Always throws; Add-AnswerError reads the outcome and the error class from the exception.

    .PARAMETER Outcome
    The outcome, as the contract names it.

    .PARAMETER Reason
    One sentence: what happened, and to what.

    .PARAMETER ErrorClass
    transient, permission, not_found or other; omitted when Exchange reported no error.

    .PARAMETER Candidate
    With ambiguous: the Entra object ids that Exchange reported. What is no GUID is left out.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('not_found', 'ambiguous', 'refused', 'failed')]
        [string]$Outcome,

        [Parameter(Mandatory)]
        [string]$Reason,

        [ValidateSet('transient', 'permission', 'not_found', 'other')]
        [string]$ErrorClass,

        [string[]]$Candidate = @()
    )

    $end = [System.InvalidOperationException]::new($Reason)
    $end.Data['BypassOutcome'] = $Outcome
    $end.Data['BypassErrorClass'] = if ($ErrorClass) { $ErrorClass } else { $null }
    $end.Data['BypassCandidates'] = [string[]]@($Candidate.Where{ Test-Guid -Value $_ } | Select-Object -Unique)
    throw $end
}

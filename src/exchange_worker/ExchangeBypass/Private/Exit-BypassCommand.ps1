function Exit-BypassCommand {
    <#
    .SYNOPSIS
    Ends the command here, with an outcome and a reason in words that an operator can use.

    .DESCRIPTION
    Always throws; Add-AnswerError reads outcome and class from the exception.

    .PARAMETER Outcome
    A word of the contract.

    .PARAMETER Reason
    What happened to what, as a sentence.

    .PARAMETER ErrorClass
    transient, permission, not_found, other, or nothing when it is no error of Exchange.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('not_found', 'ambiguous', 'refused', 'failed')]
        [string]$Outcome,

        [Parameter(Mandatory)]
        [string]$Reason,

        [ValidateSet('transient', 'permission', 'not_found', 'other')]
        [string]$ErrorClass
    )

    $end = [System.InvalidOperationException]::new($Reason)
    $end.Data['BypassOutcome'] = $Outcome
    $end.Data['BypassErrorClass'] = if ($ErrorClass) { $ErrorClass } else { $null }
    throw $end
}

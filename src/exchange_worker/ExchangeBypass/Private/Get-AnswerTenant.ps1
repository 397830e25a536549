function Get-AnswerTenant {
    <#
    .SYNOPSIS
    Returns the tenant id for an answer: the command's, or the worker's when the command has none.

    .PARAMETER Command
    The command, validated or not.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command
    )

    if (Test-Guid -Value $Command['tenant_id']) { $Command['tenant_id'] } else { (Get-WorkerSetting).TenantId }
}

function Get-AnswerTenant {
    <#
    .SYNOPSIS
    Gives the tenant that an answer names: the one that the command names, or our own when it names none.

    .PARAMETER Command
    The command, checked or not.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command
    )

    if (Test-Guid -Value $Command['tenant_id']) { $Command['tenant_id'] } else { (Get-WorkerSetting).TenantId }
}

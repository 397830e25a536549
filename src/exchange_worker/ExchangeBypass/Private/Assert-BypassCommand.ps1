function Assert-BypassCommand {
    <#
    .SYNOPSIS
    Refuses an invalid command before Exchange is called.

    .DESCRIPTION
    An unknown schema version is refused as transient: the responder retries later, so upgrading one side before the
    other loses nothing. Every other refusal is final.

    .PARAMETER Command
    The command as received.

    .PARAMETER Kind
    The accepted kinds. By design, no kind switches a bypass on.

    .PARAMETER TenantId
    The tenant that this worker serves.

    .PARAMETER Field
    The fields that a command may have.

    .PARAMETER Problem
    Returns what is wrong with the fields of a command of an accepted kind, or nothing.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [string[]]$Kind,

        [Parameter(Mandatory)]
        [string]$TenantId,

        [string[]]$Field = @('schema_version', 'command_id', 'kind', 'tenant_id', 'target', 'object_id', 'identity',
            'not_after'),

        [scriptblock]$Problem = { Get-TargetProblem -Command $Command }
    )

    $version = $Command['schema_version']
    $notAfter = ConvertTo-UtcTime -Value $Command['not_after']
    $unknown = @($Command.Keys | Where-Object { $_ -cnotin $Field })
    if (($version -isnot [int] -and $version -isnot [long]) -or $version -ne 1) {
        $reason = "This worker does not support schema_version '$version'."
        Exit-BypassCommand -Outcome refused -ErrorClass transient -Reason $reason
    }
    if ($null -ne $notAfter -and [datetime]::UtcNow -gt $notAfter) {
        $reason = "The command expired at $($notAfter.ToString('s'))Z (not_after)."
        Exit-BypassCommand -Outcome refused -ErrorClass transient -Reason $reason
    }
    $reason = if ($Command['kind'] -isnot [string] -or $Command['kind'] -cnotin $Kind) {
        "The command is not valid: this function does not accept the kind '$($Command['kind'])'."
    } elseif ($unknown) {
        "The command is not valid: it has the unknown field '$($unknown[0])'."
    } elseif (-not (Test-Guid -Value $Command['tenant_id'])) {
        'The command is not valid: tenant_id is not a GUID.'
    } elseif ($Command['tenant_id'] -cne $TenantId) {
        "The command is for tenant $($Command['tenant_id']); this worker serves tenant $TenantId."
    } elseif ($null -eq $notAfter) {
        'The command is not valid: not_after is not a time.'
    } else {
        & $Problem
    }
    if ($reason) {
        Exit-BypassCommand -Outcome refused -Reason $reason
    }
}

function Assert-BypassCommand {
    <#
    .SYNOPSIS
    Refuses a command that this worker does not carry out, before anything is asked of Exchange.

    .DESCRIPTION
    A schema version that is not known here is refused as transient: the responder asks again later, so that upgrading
    one side before the other loses nothing. Every other refusal is for good.

    .PARAMETER Command
    The command as it came.

    .PARAMETER Kind
    The kinds that are carried out here. Switching a bypass on is not among them anywhere, by design.

    .PARAMETER TenantId
    The tenant that this worker serves.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [string[]]$Kind,

        [Parameter(Mandatory)]
        [string]$TenantId
    )

    $version = $Command['schema_version']
    $notAfter = ConvertTo-UtcTime -Value $Command['not_after']
    $fields = 'schema_version', 'command_id', 'kind', 'tenant_id', 'target', 'object_id', 'identity', 'not_after'
    $unknown = @($Command.Keys | Where-Object { $_ -cnotin $fields })
    if (($version -isnot [int] -and $version -isnot [long]) -or $version -ne 1) {
        $reason = "schema_version '$version' is not one that this worker knows."
        Exit-BypassCommand -Outcome refused -ErrorClass transient -Reason $reason
    }
    $reason = if ($Command['kind'] -isnot [string] -or $Command['kind'] -cnotin $Kind) {
        "The command is not valid: the kind '$($Command['kind'])' is not carried out here."
    } elseif ($unknown) {
        "The command is not valid: it has the unknown field '$($unknown[0])'."
    } elseif (-not (Test-Guid -Value $Command['tenant_id'])) {
        'The command is not valid: tenant_id is not a GUID.'
    } elseif ($Command['tenant_id'] -cne $TenantId) {
        "The command is for tenant $($Command['tenant_id']), this worker serves $TenantId."
    } elseif ($null -eq $notAfter) {
        'The command is not valid: not_after is not a time.'
    } elseif ([datetime]::UtcNow -gt $notAfter) {
        "The command came after its time ($($notAfter.ToString('s'))Z)."
    } else {
        Get-TargetProblem -Command $Command
    }
    if ($reason) {
        Exit-BypassCommand -Outcome refused -Reason $reason
    }
}

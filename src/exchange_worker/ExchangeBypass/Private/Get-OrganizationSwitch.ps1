function Get-OrganizationSwitch {
    <#
    .SYNOPSIS
    Reads the two switches that turn off auditing for the whole organization.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $read = foreach ($name in 'Get-OrganizationConfig', 'Get-AdminAuditLogConfig') {
        $each = Invoke-ExchangeCmdlet -Name $name -Setting $Setting
        if ($each.Rows.Count -ne 1) {
            $reason = "$name returned $($each.Rows.Count) rows instead of one."
            Exit-BypassCommand -Outcome failed -ErrorClass other -Reason $reason
        }
        $each
    }
    $organization, $log = $read
    [pscustomobject]@{
        AuditDisabled                   = ConvertTo-BypassFlag -Name AuditDisabled `
            -Value $organization.Rows[0].AuditDisabled
        UnifiedAuditLogIngestionEnabled = ConvertTo-BypassFlag -Name UnifiedAuditLogIngestionEnabled `
            -Value $log.Rows[0].UnifiedAuditLogIngestionEnabled
        Warnings                        = @($organization.Warnings) + @($log.Warnings)
    }
}

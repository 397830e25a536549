function Read-RoleAssignment {
    <#
    .SYNOPSIS
    Returns every role assignment of the organization, those first whose role can switch a bypass on.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $asked = @{ Cmdlet = 'Set-MailboxAuditBypassAssociation' }
    $roles = (Invoke-ExchangeCmdlet -Name Get-ManagementRole -Parameter $asked -Setting $Setting).Rows
    $able = @($roles | ForEach-Object { [string]$_.Name })
    $read = Invoke-ExchangeCmdlet -Name Get-ManagementRoleAssignment -Setting $Setting
    $found = foreach ($row in $read.Rows) {
        [ordered]@{
            name          = [string]$row.Name
            role          = [string]$row.Role
            assignee      = [string](Get-RowValue -Row $row -Name RoleAssigneeName)
            assignee_type = [string](Get-RowValue -Row $row -Name RoleAssigneeType)
            delegating    = [string](Get-RowValue -Row $row -Name RoleAssignmentDelegationType) -like 'Delegating*'
            enabled       = (ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name Enabled)) -ne $false
            can_bypass    = [string]$row.Role -in $able
        }
    }
    $found | Sort-Object -Stable -Descending -Property { $_.can_bypass }
}

function Read-OrganizationRight {
    <#
    .SYNOPSIS
    Returns the organization's audit switches, and who can change them: the content of read_organization.

    .DESCRIPTION
    own_entries are the roles of the role groups that bypassctl's script creates for the worker, by their names.
    Permissions in Exchange: Get-OrganizationConfig, Get-AdminAuditLogConfig, Get-ManagementRole,
    Get-ManagementRoleAssignment, Get-ManagementRoleEntry, Get-RoleGroupMember. Each section needs only its own.

    .PARAMETER MostItems
    How many items a section has at most; the rest is counted.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [int]$MostItems,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $ownGroup = 'Mailbox Audit Bypass Responder*'
    $switches = {
        $found = Get-OrganizationSwitch -Setting $Setting
        [ordered]@{
            audit_disabled                      = $found.AuditDisabled
            unified_audit_log_ingestion_enabled = $found.UnifiedAuditLogIngestionEnabled
        }
    }
    $log = {
        $row = (Invoke-ExchangeCmdlet -Name Get-AdminAuditLogConfig -Setting $Setting).Rows[0]
        $limit = [string](Get-RowValue -Row $row -Name AdminAuditLogAgeLimit)
        [ordered]@{
            enabled          = ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name AdminAuditLogEnabled)
            cmdlets          = ConvertTo-TextList -Value (Get-RowValue -Row $row -Name AdminAuditLogCmdlets)
            parameters       = ConvertTo-TextList -Value (Get-RowValue -Row $row -Name AdminAuditLogParameters)
            excluded_cmdlets = ConvertTo-TextList -Value (Get-RowValue -Row $row -Name AdminAuditLogExcludedCmdlets)
            age_limit        = if ($limit) { $limit } else { $null }
        }
    }
    $sections = [ordered]@{
        switches        = Read-AnswerSection -Read $switches -MostItems $MostItems
        admin_audit_log = Read-AnswerSection -Read $log -MostItems $MostItems
        assignments     = Read-AnswerSection -Read { Read-RoleAssignment -Setting $Setting } -MostItems $MostItems
    }
    $known = $sections.assignments
    $needed = { if ($known.error) {
            Exit-BypassCommand -Outcome failed -ErrorClass $known.error_class -Reason $known.error
        } }
    $members = {
        & $needed
        $groups = @($known.items | Where-Object {
                $_.can_bypass -and -not $_.delegating -and $_.assignee_type -eq 'RoleGroup'
            } | ForEach-Object { $_.assignee } | Sort-Object -Unique)
        foreach ($group in $groups) {
            $asked = @{ Identity = $group; ResultSize = 'Unlimited' }
            foreach ($row in (Invoke-ExchangeCmdlet -Name Get-RoleGroupMember -Parameter $asked -Setting $Setting).Rows) {
                [ordered]@{
                    group     = $group
                    member    = [string](Get-RowValue -Row $row -Name Name)
                    object_id = ConvertTo-GuidText -Value (Get-RowValue -Row $row -Name ExternalDirectoryObjectId)
                    type      = [string](Get-RowValue -Row $row -Name RecipientType)
                }
            }
        }
    }
    $entries = {
        & $needed
        $roles = @($known.items | Where-Object { $_.assignee -like $ownGroup } |
                ForEach-Object { $_.role } | Sort-Object -Unique)
        if (-not $roles) { $missing.Add("the worker's rights: no role group has the name $ownGroup") }
        foreach ($role in $roles) {
            $asked = @{ Identity = "$role\*" }
            $read = Invoke-ExchangeCmdlet -Name Get-ManagementRoleEntry -Parameter $asked -Setting $Setting
            foreach ($row in $read.Rows) {
                [ordered]@{
                    role       = $role
                    cmdlet     = [string]$row.Name
                    parameters = ConvertTo-TextList -Value (Get-RowValue -Row $row -Name Parameters)
                }
            }
        }
    }
    $sections.members = Read-AnswerSection -Read $members -MostItems $MostItems
    $sections.own_entries = Read-AnswerSection -Read $entries -MostItems $MostItems
    $sections
}

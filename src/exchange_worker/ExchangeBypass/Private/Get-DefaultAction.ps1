function Get-DefaultAction {
    <#
    .SYNOPSIS
    Returns the actions of Microsoft's default set for a logon type, as of 2026.

    .DESCRIPTION
    Only for the refusal of what audits less: Microsoft adds to the set, so a newer one has at least these.

    .PARAMETER LogonType
    Admin, Delegate or Owner.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('Admin', 'Delegate', 'Owner')]
        [string]$LogonType
    )

    'ApplyRecord', 'HardDelete', 'MailItemsAccessed', 'MoveToDeletedItems', 'SoftDelete', 'Update',
    'UpdateFolderPermissions', 'UpdateInboxRules'
    if ($LogonType -ne 'Owner') { 'Create', 'SendAs', 'SendOnBehalf' }
    if ($LogonType -ne 'Delegate') { 'Send', 'UpdateCalendarDelegation' }
}

function Get-ReadCmdlet {
    <#
    .SYNOPSIS
    Returns the cmdlets of the function ExchangeReads. Get-EXOMailbox is not among them: the module always has it.

    .DESCRIPTION
    Only Set-Mailbox changes anything; a separate role permits it, with its Audit parameters alone.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param()

    'Get-User'
    'Get-Mailbox'
    'Get-InboxRule'
    'Get-MailboxPermission'
    'Get-RecipientPermission'
    'Get-MailboxFolderPermission'
    'Get-MailboxFolderStatistics'
    'Get-MailboxAuditBypassAssociation'
    'Get-OrganizationConfig'
    'Get-AdminAuditLogConfig'
    'Get-ManagementRole'
    'Get-ManagementRoleAssignment'
    'Get-ManagementRoleEntry'
    'Get-RoleGroupMember'
    'Set-Mailbox'
}

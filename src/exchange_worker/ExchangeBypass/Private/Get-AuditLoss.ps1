function Get-AuditLoss {
    <#
    .SYNOPSIS
    Returns what a mailbox would audit less after a change, or nothing.

    .DESCRIPTION
    A list that Microsoft maintains before and after is not compared, nor one that it maintains and Exchange did not
    return.

    .PARAMETER Before
    Its settings now.

    .PARAMETER Wanted
    Its settings after the change.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Before,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Wanted
    )

    $replaced = @{
        MessageBind             = 'MailItemsAccessed'
        AddFolderPermissions    = 'UpdateFolderPermissions'
        ModifyFolderPermissions = 'UpdateFolderPermissions'
        RemoveFolderPermissions = 'UpdateFolderPermissions'
    }
    if ($Before['enabled'] -ne $false -and $Wanted['enabled'] -eq $false) { 'AuditEnabled' }
    if ($Before['age_limit'] -and [timespan]$Wanted['age_limit'] -lt [timespan]$Before['age_limit']) {
        'AuditLogAgeLimit'
    }
    foreach ($type in 'Admin', 'Delegate', 'Owner') {
        $name = $type.ToLowerInvariant()
        $maintained = $type -in $Wanted['default_set']
        if ($maintained -and ($type -in $Before['default_set'] -or -not @($Wanted[$name]))) { continue }
        foreach ($action in @($Before[$name])) {
            $other = if ($action -and $replaced.ContainsKey($action)) { $replaced[$action] } else { $action }
            if ($action -notin $Wanted[$name] -and $other -notin $Wanted[$name]) { "$action ($type)" }
        }
    }
}

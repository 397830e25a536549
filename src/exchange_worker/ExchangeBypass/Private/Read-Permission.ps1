function Read-Permission {
    <#
    .SYNOPSIS
    Returns who may do what, as one of Exchange's permission cmdlets lists it, without the account's own right.

    .DESCRIPTION
    For an identity that Exchange does not know, these cmdlets return the permissions of every object. So all rows must
    be about one object, or with a trustee of one trustee.

    .PARAMETER Name
    Get-MailboxPermission, Get-RecipientPermission or Get-MailboxFolderPermission.

    .PARAMETER Parameter
    Its parameters.

    .PARAMETER Folder
    With a folder permission, the folder.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [ValidateSet('Get-MailboxPermission', 'Get-RecipientPermission', 'Get-MailboxFolderPermission')]
        [string]$Name,

        [Parameter(Mandatory)]
        [hashtable]$Parameter,

        [string]$Folder = '',

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $who = if ($Name -eq 'Get-RecipientPermission') { 'Trustee' } else { 'User' }
    $one = if ($Parameter.ContainsKey('Trustee')) { 'Trustee' } else { 'Identity' }
    $rows = (Invoke-ExchangeCmdlet -Name $Name -Parameter $Parameter -Setting $Setting).Rows
    $named = @($rows | ForEach-Object { [string](Get-RowValue -Row $_ -Name $one) } | Where-Object { $_ } |
            ForEach-Object { if ($Folder -ne '') { 'one folder' } else { $_ } } | Sort-Object -Unique)
    if ($named.Count -gt 1) {
        $reason = "$Name returned the permissions of several objects instead of one."
        Exit-BypassCommand -Outcome failed -ErrorClass other -Reason $reason
    }
    foreach ($row in $rows) {
        $trustee = [string](Get-RowValue -Row $row -Name $who)
        $rights = ConvertTo-TextList -Value (Get-RowValue -Row $row -Name AccessRights)
        $standard = $trustee -in 'Default', 'Anonymous' -and
            -not @($rights | Where-Object { $_ -notin 'None', 'AvailabilityOnly', 'LimitedDetails' })
        if ($trustee -eq 'NT AUTHORITY\SELF' -or $standard) { continue }
        [ordered]@{
            mailbox   = [string](Get-RowValue -Row $row -Name Identity)
            folder    = $Folder
            trustee   = $trustee
            rights    = $rights
            inherited = (ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name IsInherited)) -eq $true
            deny      = (ConvertTo-OptionalFlag -Value (Get-RowValue -Row $row -Name Deny)) -eq $true -or
                [string](Get-RowValue -Row $row -Name AccessControlType) -eq 'Deny'
        }
    }
}

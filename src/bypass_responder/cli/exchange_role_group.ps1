<#
.SYNOPSIS
Creates a dedicated role group for the Exchange worker that may run its cmdlets and nothing else.

.DESCRIPTION
Printed by `bypassctl grant --exchange-script` and run by an Exchange administrator (role group Organization Management)
in Exchange Online PowerShell, after Connect-ExchangeOnline. It reads, compares and changes only what differs, so it can
be run again. -WhatIf shows the changes without making them; -Remove deletes everything that it creates. It ends with
the cmdlets that the group may run, and fails unless these are exactly the required ones, with no parameter but the
listed ones where some are listed.

For each required cmdlet it finds a built-in role that contains it, and creates a child role with only the required
cmdlets. Exchange may not find an object for minutes after it was created: such a step is retried, at most -Attempts
times.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [guid]$ApplicationId = '__APPLICATION_ID__',
    [guid]$ObjectId = '__OBJECT_ID__',
    [string]$GroupName = '__GROUP__',
    [string[]]$Cmdlet = @('__CMDLETS__'),
    [string[]]$Parameter = @('__PARAMETERS__'),
    [switch]$Remove,
    [int]$Attempts = 20,
    [double]$PauseSeconds = 15
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Get-Own([scriptblock]$Read, [scriptblock]$Which) { @(& $Read | Where-Object $Which) }

function Wait-Found([scriptblock]$Step) {
    for ($attempt = 1; ; $attempt++) {
        try { return & $Step }
        catch {
            if ($attempt -ge $Attempts -or "$_" -notmatch "couldn.t be found|wasn.t found|not found") { throw }
            Write-Warning "Attempt $attempt of ${Attempts}: $_"
        }
        Start-Sleep -Seconds $PauseSeconds
    }
}

# Exchange allows 64 characters.
function Get-RoleName([string]$Parent) {
    $name = "$GroupName - $Parent"
    $name.Substring(0, [Math]::Min(64, $name.Length)).TrimEnd()
}

# The names by which Exchange may list the worker as a member.
function Get-WorkerName {
    $own = Get-Own { Get-ServicePrincipal } { $_.ObjectId -eq "$ObjectId" }
    $others = foreach ($each in $own) {
        foreach ($name in 'Identity', 'Guid', 'Name') { $each.PSObject.Properties[$name]?.Value }
    }
    @("$ObjectId") + @($others | Where-Object { $_ } | ForEach-Object { "$_" })
}

function Test-Member {
    $names = Get-WorkerName
    foreach ($member in Get-RoleGroupMember -Identity $GroupName) {
        foreach ($property in $member.PSObject.Properties) { if ("$($property.Value)" -in $names) { return $true } }
    }
    $false
}

function Get-OwnRole { Get-Own { Get-ManagementRole } { $_.Name -like "$GroupName - *" } }

function Get-Entry([string]$Role) { @(Get-ManagementRoleEntry -Identity "$Role\*" | ForEach-Object { $_.Name }) }

# The parameters of a role's entries that are not among the listed ones.
function Get-ExtraParameter([string]$Role) {
    if (-not $Parameter) { return }
    foreach ($entry in Get-ManagementRoleEntry -Identity "$Role\*") {
        foreach ($name in @($entry.Parameters)) { if ($name -notin $Parameter) { "$($entry.Name) -$name" } }
    }
}

# A small set of built-in roles that contains all required cmdlets: each time the role with most of the remaining
# cmdlets, preferring view-only roles, which cannot write.
function Get-Parent {
    $left = [System.Collections.Generic.HashSet[string]]::new([string[]]$Cmdlet, [StringComparer]::OrdinalIgnoreCase)
    while ($left.Count) {
        $held = @{}
        foreach ($name in $left) {
            foreach ($role in Get-ManagementRole -Cmdlet $name) {
                # a role group cannot have end-user roles; a custom role may change at any time
                $fits = "$($role.IsRootRole)" -eq 'True' -and "$($role.IsEndUserRole)" -ne 'True'
                if ($fits) { $held[$role.Name] = @($held[$role.Name]) + $name }
            }
        }
        $through = @($left | Where-Object { $_ -like 'Get-EXO*' })
        if (-not $held.Count -and $through.Count -eq $left.Count) {
            Write-Warning "No role names $($through -join ', '): Exchange permits it by the cmdlet without EXO."
            $script:Cmdlet = @($Cmdlet | Where-Object { $_ -notin $through })
            return
        }
        if (-not $held.Count) { throw "No built-in role of this organization contains $(@($left)[0])." }
        $order = { -@($held[$_]).Count }, { $_ -notlike 'View-Only*' }, { $_ }
        $best = @($held.Keys | Sort-Object -Property $order)[0]
        [pscustomobject]@{ Parent = $best; Cmdlets = @($held[$best] | Where-Object { $_ }) }
        foreach ($name in $held[$best]) { if ($name) { $null = $left.Remove($name) } }
    }
}

function Set-Role([string]$Parent, [string[]]$Wanted) {
    $name = Get-RoleName $Parent
    if (-not (Get-OwnRole | Where-Object { $_.Name -eq $name })) {
        $what = "New-ManagementRole below $Parent, for $($Wanted -join ', ')"
        if (-not $PSCmdlet.ShouldProcess($name, $what)) { return }
        $null = New-ManagementRole -Name $name -Parent $Parent -EnabledCmdlets $Wanted
    }
    foreach ($entry in Wait-Found { Get-Entry $name } | Where-Object { $_ -notin $Wanted }) {
        if ($PSCmdlet.ShouldProcess("$name\$entry", 'Remove-ManagementRoleEntry')) {
            Remove-ManagementRoleEntry -Identity "$name\$entry" -Confirm:$false
        }
    }
    if (-not (Wait-Found { @(Get-ExtraParameter $name) })) { return }
    foreach ($entry in $Wanted) {
        if ($PSCmdlet.ShouldProcess("$name\$entry", "Set-ManagementRoleEntry -Parameters $($Parameter -join ', ')")) {
            Set-ManagementRoleEntry -Identity "$name\$entry" -Parameters $Parameter
        }
    }
}

function Set-Group([string[]]$Role) {
    $group = Get-Own { Get-RoleGroup } { $_.Name -eq $GroupName }
    if (-not $group) {
        if (-not $PSCmdlet.ShouldProcess($GroupName, "New-RoleGroup with $($Role -join ', ')")) { return }
        $null = Wait-Found { New-RoleGroup -Name $GroupName -Roles $Role }
    }
    else {
        foreach ($missing in $Role | Where-Object { $_ -notin $group[0].Roles }) {
            if ($PSCmdlet.ShouldProcess($missing, "New-ManagementRoleAssignment to $GroupName")) {
                $null = Wait-Found { New-ManagementRoleAssignment -SecurityGroup $GroupName -Role $missing }
            }
        }
    }
    if (-not (Wait-Found { Test-Member }) -and $PSCmdlet.ShouldProcess("$ObjectId", "Add-RoleGroupMember $GroupName")) {
        try { Wait-Found { Add-RoleGroupMember -Identity $GroupName -Member "$ObjectId" -Confirm:$false } }
        catch { if ("$_" -notmatch 'already a member') { throw } }
    }
}

function Remove-Everything {
    if ((Get-Own { Get-RoleGroup } { $_.Name -eq $GroupName }) -and
        $PSCmdlet.ShouldProcess($GroupName, 'Remove-RoleGroup')) {
        Remove-RoleGroup -Identity $GroupName -Confirm:$false
    }
    foreach ($role in Get-OwnRole) {
        if ($PSCmdlet.ShouldProcess($role.Name, 'Remove-ManagementRole')) {
            Remove-ManagementRole -Identity $role.Name -Confirm:$false
        }
    }
    # the worker's other role groups need it
    $others = Get-Own { Get-RoleGroup } { $_.Name -like 'Mailbox Audit Bypass Responder*' -and $_.Name -ne $GroupName }
    if (-not $others -and (Get-Own { Get-ServicePrincipal } { $_.ObjectId -eq "$ObjectId" }) -and
        $PSCmdlet.ShouldProcess("$ObjectId", 'Remove-ServicePrincipal')) {
        Remove-ServicePrincipal -Identity "$ObjectId" -Confirm:$false
    }
}

if ($Remove) {
    Remove-Everything
    return
}
if ((Get-OrganizationConfig).IsDehydrated) {
    throw 'This organization cannot have custom roles yet. Run Enable-OrganizationCustomization once, wait until ' +
    '(Get-OrganizationConfig).IsDehydrated is False, then run this script again.'
}
if (-not (Get-Own { Get-ServicePrincipal } { $_.ObjectId -eq "$ObjectId" }) -and
    $PSCmdlet.ShouldProcess("$ObjectId", 'New-ServicePrincipal')) {
    $null = New-ServicePrincipal -AppId "$ApplicationId" -ObjectId "$ObjectId" -DisplayName $GroupName
}
$parents = @(Get-Parent)
foreach ($each in $parents) { Set-Role $each.Parent $each.Cmdlets }
Set-Group @($parents | ForEach-Object { Get-RoleName $_.Parent })
if ($WhatIfPreference) { return }

# What the group may run, not only what our roles contain: somebody may have added another role.
$roles = @(Wait-Found {
        $group = Get-Own { Get-RoleGroup } { $_.Name -eq $GroupName }
        if (-not $group) { throw "$GroupName was not found." }
        $group[0].Roles
    })
$may = @(foreach ($role in $roles) { Wait-Found { Get-Entry $role } }) | Sort-Object -Unique
$more = @($may | Where-Object { $_ -notin $Cmdlet })
$fewer = @($Cmdlet | Where-Object { $_ -notin $may })
if ($more -or $fewer) {
    throw "$GroupName has extra cmdlets ($($more -join ', ')) or lacks cmdlets ($($fewer -join ', ')). Its roles: " +
    "$($roles -join '; ')."
}
$extra = @(foreach ($role in $roles) { Get-ExtraParameter $role })
if ($extra) { throw "$GroupName has extra parameters: $($extra -join ', ')." }
$members = @(Get-RoleGroupMember -Identity $GroupName)
if ($members.Count -ne 1) {
    throw "$GroupName has $($members.Count) members; only the worker may be one. Check them: Get-RoleGroupMember."
}
"$GroupName may run $($may -join ', '), and nothing else. The change can take an hour to apply."

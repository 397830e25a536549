# Exchange's cmdlets for roles and role groups, as far as the script for the role group uses them, on a JSON file. With
# Exchange's habits: a role below another one begins with the chosen ones of its cmdlets and can only lose some; names are unique;
# a role that a group has cannot be removed; a new object is not found the first times (lag).
param([string]$State)

Set-StrictMode -Version Latest

$script:all = Get-Content -Path $State -Raw | ConvertFrom-Json -AsHashtable

function Save([string]$What) {
    $script:all.journal = @($script:all.journal) + $What
    $script:all | ConvertTo-Json -Depth 8 | Set-Content -Path $State
}

# Of a new object: not found yet.
function Assert-Found([string]$Name) {
    if ($script:all.late.Contains($Name) -and $script:all.late[$Name] -gt 0) {
        $script:all.late[$Name]--
        throw "The operation couldn't be performed because object '$Name' couldn't be found on 'EURPR01A001'."
    }
}

function Get-OrganizationConfig { [pscustomobject]@{ IsDehydrated = $script:all.dehydrated } }

function Get-ManagementRole([string]$Cmdlet) {
    foreach ($name in @($script:all.roles.Keys | Sort-Object)) {
        if ($Cmdlet -and $Cmdlet -notin $script:all.roles[$name]) { continue }
        $made = $name -in $script:all.made
        [pscustomobject]@{ Name = $name; IsRootRole = -not $made; IsEndUserRole = $name.StartsWith('My') }
    }
}

function New-ManagementRole([string]$Name, [string]$Parent, [string[]]$EnabledCmdlets) {
    if ($script:all.roles.Contains($Name)) { throw "The role $Name exists already." }
    if ($Name.Length -gt 64) { throw "The name $Name is too long." }
    $script:all.made = @($script:all.made) + $Name
    $script:all.roles[$Name] = @($script:all.roles[$Parent] | Where-Object { $_ -in $EnabledCmdlets })
    $script:all.late[$Name] = $script:all.lag
    Save "New-ManagementRole $Name"
    [pscustomobject]@{ Name = $Name }
}

function Remove-ManagementRole([string]$Identity, [switch]$Confirm) {
    foreach ($group in $script:all.groups.Values) {
        if ($Identity -in $group.roles) { throw "The role $Identity is assigned." }
    }
    $script:all.roles.Remove($Identity)
    Save "Remove-ManagementRole $Identity"
}

function Get-ManagementRoleEntry([string]$Identity) {
    Assert-Found $Identity.Split('\')[0]
    $role = $Identity.Split('\')[0]
    foreach ($name in $script:all.roles[$role]) {
        $given = $script:all.trimmed.Contains($role) ? $script:all.trimmed[$role] : $script:all.parameters[$name]
        [pscustomobject]@{ Name = $name; Parameters = @($given) }
    }
}

function Set-ManagementRoleEntry([string]$Identity, [string[]]$Parameters, [switch]$Confirm) {
    if ($Identity.Split('\')[0] -notin $script:all.made) { throw 'The entries of a built-in role cannot be changed.' }
    $script:all.trimmed[$Identity.Split('\')[0]] = @($Parameters)
    Save "Set-ManagementRoleEntry $Identity"
}

function Remove-ManagementRoleEntry([string]$Identity, [switch]$Confirm) {
    $role, $entry = $Identity.Split('\')
    $script:all.roles[$role] = @($script:all.roles[$role] | Where-Object { $_ -ne $entry })
    Save "Remove-ManagementRoleEntry $Identity"
}

function Get-RoleGroup {
    foreach ($name in @($script:all.groups.Keys)) {
        [pscustomobject]@{ Name = $name; Roles = @($script:all.groups[$name].roles) }
    }
}

function New-RoleGroup([string]$Name, [string[]]$Roles) {
    foreach ($role in $Roles) { Assert-Found $role }
    if ($script:all.groups.Contains($Name)) { throw "The group $Name exists already." }
    $script:all.groups[$Name] = @{ roles = @($Roles); members = @() }
    Save "New-RoleGroup $Name"
}

function Remove-RoleGroup([string]$Identity, [switch]$Confirm) {
    $script:all.groups.Remove($Identity)
    Save "Remove-RoleGroup $Identity"
}

function New-ManagementRoleAssignment([string]$SecurityGroup, [string]$Role) {
    $script:all.groups[$SecurityGroup].roles = @($script:all.groups[$SecurityGroup].roles) + $Role
    Save "New-ManagementRoleAssignment $Role"
}

function Get-RoleGroupMember([string]$Identity) {
    if (-not $script:all.groups.Contains($Identity)) { return }
    foreach ($id in @($script:all.groups[$Identity].members)) { [pscustomobject]@{ $script:all.member_property = $id } }
}

function Add-RoleGroupMember([string]$Identity, [string]$Member, [switch]$Confirm) {
    Assert-Found $Member
    if ($Member -notin $script:all.principals) { throw "Exchange does not know $Member." }
    if ($Member -in $script:all.groups[$Identity].members) { throw "'$Member' is already a member of the group." }
    $script:all.groups[$Identity].members = @($script:all.groups[$Identity].members) + $Member
    Save "Add-RoleGroupMember $Member"
}

function Get-ServicePrincipal {
    foreach ($id in @($script:all.principals)) { [pscustomobject]@{ ObjectId = $id } }
}

function New-ServicePrincipal([string]$AppId, [string]$ObjectId, [string]$DisplayName) {
    $script:all.principals = @($script:all.principals) + $ObjectId
    $script:all.late[$ObjectId] = $script:all.lag
    Save "New-ServicePrincipal $ObjectId $AppId"
}

function Remove-ServicePrincipal([string]$Identity, [switch]$Confirm) {
    $script:all.principals = @($script:all.principals | Where-Object { $_ -ne $Identity })
    Save "Remove-ServicePrincipal $Identity"
}

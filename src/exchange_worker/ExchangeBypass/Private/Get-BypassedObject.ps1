function Get-BypassedObject {
    <#
    .SYNOPSIS
    Returns all objects whose bypass is on (Objects), the number of objects read (Scanned), and the Warnings.

    .DESCRIPTION
    Objects are read one at a time, and only those with the bypass on are kept. Their Entra ids are read one by one, or,
    when there are many, in one pass over all users. An object without an Entra id is listed with object_id null.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $oneByOne = 100
    $everybody = @{ ResultSize = 'Unlimited' }
    $on = { ConvertTo-BypassFlag -Value $args[0].AuditBypassEnabled }
    $read = @{ Name = 'Get-MailboxAuditBypassAssociation'; Parameter = $everybody; Keep = $on }
    $list = Invoke-ExchangeCmdlet @read -Setting $Setting
    $warnings = @($list.Warnings)
    $ids = @{}
    foreach ($row in $list.Rows) { $ids[[string]$row.Guid] = $null }
    $known = { $ids.ContainsKey([string]$args[0].Guid) }
    $questions = if ($ids.Count -gt $oneByOne) {
        $everybody
    } else {
        foreach ($guid in $ids.Keys) { @{ Identity = $guid; ResultSize = 2 } }
    }
    foreach ($asked in @($questions)) {
        try {
            $users = Invoke-ExchangeCmdlet -Name Get-User -Parameter $asked -Keep $known -Setting $Setting
        } catch {
            if ($_.Exception.Data['BypassErrorClass'] -ne 'not_found') { throw }
            continue
        }
        $warnings += @($users.Warnings)
        foreach ($user in $users.Rows) {
            $ids[[string]$user.Guid] = ([string]$user.ExternalDirectoryObjectId).ToLowerInvariant()
        }
    }
    $objects = foreach ($row in $list.Rows) {
        $id = $ids[[string]$row.Guid]
        [ordered]@{
            object_id     = if (Test-Guid -Value $id) { $id } else { $null }
            exchange_guid = ([string]$row.Guid).ToLowerInvariant()
            name          = [string]$row.Name
        }
    }
    [pscustomobject]@{ Objects = @($objects); Scanned = $list.Scanned; Warnings = $warnings }
}

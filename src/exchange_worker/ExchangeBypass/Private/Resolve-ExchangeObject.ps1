function Resolve-ExchangeObject {
    <#
    .SYNOPSIS
    Returns the one Exchange object that a command names: object_id, exchange_guid and name.

    .DESCRIPTION
    Requests at most ten rows: two already prove that the name is ambiguous, and the others are candidates too. The
    Exchange GUID differs from the Entra object id; from here on, only the GUID identifies the object. Ends the command
    as not_found, or as ambiguous with the Entra object ids of the candidates.

    .PARAMETER ObjectId
    The Entra object id. It was validated as a GUID, so it is safe in a filter.

    .PARAMETER Identity
    The name from an audit record, when there is no object id.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [AllowNull()]
        [AllowEmptyString()]
        [string]$ObjectId,

        [AllowNull()]
        [AllowEmptyString()]
        [string]$Identity,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    $byId = @{ Filter = "ExternalDirectoryObjectId -eq '$ObjectId'" }
    $asked = if ($ObjectId) { $byId } else { @{ Identity = $Identity } }
    $named = if ($ObjectId) { $ObjectId } else { $Identity }
    $missing = "No Exchange object with an Entra object id matches '$named'."
    try {
        $rows = (Invoke-ExchangeCmdlet -Name Get-User -Parameter ($asked + @{ ResultSize = 10 }) -Setting $Setting).Rows
    } catch {
        if ($_.Exception.Data['BypassErrorClass'] -ne 'not_found') { throw }
        Exit-BypassCommand -Outcome not_found -ErrorClass not_found -Reason $missing
    }
    if ($rows.Count -gt 1) {
        $ids = foreach ($row in $rows) { ([string]$row.ExternalDirectoryObjectId).ToLowerInvariant() }
        $several = @{ Reason = "Several Exchange objects match '$named'."; Candidate = $ids }
        Exit-BypassCommand -Outcome ambiguous @several
    }
    $found = if ($rows.Count) { ([string]$rows[0].ExternalDirectoryObjectId).ToLowerInvariant() }
    if (-not (Test-Guid -Value $found) -or ($ObjectId -and $found -cne $ObjectId)) {
        Exit-BypassCommand -Outcome not_found -ErrorClass not_found -Reason $missing
    }
    $guid = ([string]$rows[0].Guid).ToLowerInvariant()
    if (-not (Test-Guid -Value $guid)) {
        Exit-BypassCommand -Outcome failed -ErrorClass other -Reason "Exchange returned no Guid for '$named'."
    }
    [ordered]@{
        object_id     = $found
        exchange_guid = $guid
        name          = [string]$rows[0].Name
    }
}

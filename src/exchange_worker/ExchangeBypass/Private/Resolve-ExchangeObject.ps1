function Resolve-ExchangeObject {
    <#
    .SYNOPSIS
    Gives the one object in Exchange that a command names: object_id, exchange_guid and name.

    .DESCRIPTION
    At most two rows are asked for: two are one too many, and which of more does not matter. The Exchange GUID is
    another value than the Entra object id, and the only thing by which the object is named from here on.
    Ends the command as not_found or ambiguous.

    .PARAMETER ObjectId
    The Entra object id; already known to be a GUID, so that it can stand in a filter.

    .PARAMETER Identity
    A name as an audit record had it, when there is no object id.

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
    $missing = "No object in Exchange with an Entra id is called '$named'."
    try {
        $rows = (Invoke-ExchangeCmdlet -Name Get-User -Parameter ($asked + @{ ResultSize = 2 }) -Setting $Setting).Rows
    } catch {
        if ($_.Exception.Data['BypassErrorClass'] -ne 'not_found') { throw }
        Exit-BypassCommand -Outcome not_found -ErrorClass not_found -Reason $missing
    }
    if ($rows.Count -gt 1) {
        Exit-BypassCommand -Outcome ambiguous -Reason "More than one object in Exchange is called '$named'."
    }
    $found = if ($rows.Count) { ([string]$rows[0].ExternalDirectoryObjectId).ToLowerInvariant() }
    if (-not (Test-Guid -Value $found) -or ($ObjectId -and $found -cne $ObjectId)) {
        Exit-BypassCommand -Outcome not_found -ErrorClass not_found -Reason $missing
    }
    $guid = ([string]$rows[0].Guid).ToLowerInvariant()
    if (-not (Test-Guid -Value $guid)) {
        Exit-BypassCommand -Outcome failed -ErrorClass other -Reason "Exchange gave no Guid for '$named'."
    }
    [ordered]@{
        object_id     = $found
        exchange_guid = $guid
        name          = [string]$rows[0].Name
    }
}

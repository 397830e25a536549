function Test-Guid {
    <#
    .SYNOPSIS
    Tests whether a value is a string that is exactly one lower-case GUID, the only form in the contract.

    .PARAMETER Value
    Anything.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value
    )

    $Value -is [string] -and $Value -cmatch '\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z'
}

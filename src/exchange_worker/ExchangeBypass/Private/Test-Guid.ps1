function Test-Guid {
    <#
    .SYNOPSIS
    Says whether a value is a text that holds exactly one GUID in lower case, the only form that the contract knows.

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

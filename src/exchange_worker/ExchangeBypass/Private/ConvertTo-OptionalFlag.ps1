function ConvertTo-OptionalFlag {
    <#
    .SYNOPSIS
    Returns true or false as Exchange returned it, also as a text, and null for anything else.

    .PARAMETER Value
    The value of the property.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [object]$Value
    )

    if ($Value -is [bool]) { return $Value }
    if ("$Value" -eq 'True') { return $true }
    if ("$Value" -eq 'False') { return $false }
    $null
}

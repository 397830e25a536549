function Get-RowValue {
    <#
    .SYNOPSIS
    Returns a property of a row, or null when the row does not have it.

    .PARAMETER Row
    A row from Exchange.

    .PARAMETER Name
    The property.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [Parameter(Mandatory)]
        [psobject]$Row,

        [Parameter(Mandatory)]
        [string]$Name
    )

    $property = $Row.PSObject.Properties[$Name]
    if ($property) { , $property.Value } else { $null }
}

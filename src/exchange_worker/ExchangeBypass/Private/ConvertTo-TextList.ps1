function ConvertTo-TextList {
    <#
    .SYNOPSIS
    Returns a property with several values as a list of texts.

    .DESCRIPTION
    Depending on the cmdlet, Exchange returns a list, or one text such as {Update, SendAs}. Null is an empty list.

    .PARAMETER Value
    The value of the property.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value
    )

    $texts = if ($Value -is [string]) { $Value.Trim('{', '}', ' ').Split(',') } else { @($Value) }
    , [string[]]@($texts | ForEach-Object { ([string]$_).Trim() } | Where-Object { $_ })
}

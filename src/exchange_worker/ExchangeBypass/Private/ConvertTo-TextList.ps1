function ConvertTo-TextList {
    <#
    .SYNOPSIS
    Returns a property with several values as a list of texts.

    .DESCRIPTION
    Depending on the cmdlet, Exchange returns a list, or one text such as {Update, SendAs}. Null is an empty list.
    Called several times for each mailbox of a tenant, so without a pipeline.

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

    if ($Value -is [string]) { $Value = $Value.Trim('{', '}', ' ').Split(',') }
    $texts = foreach ($each in $Value) {
        $text = ([string]$each).Trim()
        if ($text) { $text }
    }
    , [string[]]@($texts)
}

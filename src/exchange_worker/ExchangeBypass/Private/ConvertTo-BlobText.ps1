function ConvertTo-BlobText {
    <#
    .SYNOPSIS
    Returns the text of a blob, or an empty string when there is no such blob.

    .PARAMETER Value
    What the binding returned for the blob: null, text, or UTF-8 bytes.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value
    )

    if ($Value -is [byte[]]) { return [System.Text.Encoding]::UTF8.GetString($Value) }
    [string]$Value
}

function Add-ContentLine {
    <#
    .SYNOPSIS
    Appends one object as a line of JSON to the content of a read, compressed at once.

    .PARAMETER Content
    Writer and Rows, as Reset-Content makes them.

    .PARAMETER Line
    The object.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [hashtable]$Content,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Line
    )

    $Content.Writer.WriteLine(($Line | ConvertTo-Json -Compress -Depth 6))
    $Content.Rows++
}

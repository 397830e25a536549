function ConvertTo-GuidText {
    <#
    .SYNOPSIS
    Returns a value as a lower-case GUID, or null when it is none.

    .PARAMETER Value
    A GUID, or a text.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [object]$Value
    )

    $id = [guid]::Empty
    if ([guid]::TryParse([string]$Value, [ref]$id) -and $id -ne [guid]::Empty) { $id.ToString() } else { $null }
}

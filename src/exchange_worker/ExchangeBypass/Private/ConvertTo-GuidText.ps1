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

    $text = ([string]$Value).ToLowerInvariant()
    if ((Test-Guid -Value $text) -and $text -ne [guid]::Empty) { $text } else { $null }
}

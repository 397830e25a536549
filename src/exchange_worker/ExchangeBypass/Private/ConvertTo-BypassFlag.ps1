function ConvertTo-BypassFlag {
    <#
    .SYNOPSIS
    Reads a switch as Exchange returns it: true or false, or the text True or False.

    .DESCRIPTION
    Anything else is not guessed at: the command fails. In PowerShell the text 'False' counts as true, hence this
    function.

    .PARAMETER Value
    The property as it came.

    .PARAMETER Name
    The property's name, for the error.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value,

        [string]$Name = 'AuditBypassEnabled'
    )

    if ($Value -is [bool]) { return $Value }
    if ($Value -is [string] -and $Value -eq 'True') { return $true }
    if ($Value -is [string] -and $Value -eq 'False') { return $false }
    Exit-BypassCommand -Outcome failed -ErrorClass other -Reason "$Name is neither true nor false but '$Value'."
}

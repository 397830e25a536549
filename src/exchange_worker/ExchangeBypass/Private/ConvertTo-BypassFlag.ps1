function ConvertTo-BypassFlag {
    <#
    .SYNOPSIS
    Converts a switch that Exchange returned to a Boolean: true or false, or the text True or False.

    .DESCRIPTION
    Any other value fails the command. PowerShell itself would treat the text 'False' as true.

    .PARAMETER Value
    The value of the property.

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
    Exit-BypassCommand -Outcome failed -ErrorClass other -Reason "$Name must be true or false, but is '$Value'."
}

function Get-UtcNow {
    <#
    .SYNOPSIS
    Returns the current time in UTC, in the format of the contract.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", [cultureinfo]::InvariantCulture)
}

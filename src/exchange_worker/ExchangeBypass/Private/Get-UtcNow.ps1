function Get-UtcNow {
    <#
    .SYNOPSIS
    Gives the time now in UTC, as the contract writes it.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", [cultureinfo]::InvariantCulture)
}

function ConvertTo-UtcTime {
    <#
    .SYNOPSIS
    Gives a moment as DateTime in UTC, or null when the value is none.

    .DESCRIPTION
    The platform has already turned most JSON texts that look like a time into a DateTime. A time without a zone is UTC.

    .PARAMETER Value
    What the message has.
    #>
    [CmdletBinding()]
    [OutputType([datetime])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value
    )

    if ($Value -is [datetime]) {
        if ($Value.Kind -eq 'Unspecified') { return [datetime]::SpecifyKind($Value, 'Utc') }
        return $Value.ToUniversalTime()
    }
    $moment = [DateTimeOffset]::MinValue
    $styles = [System.Globalization.DateTimeStyles]::AssumeUniversal
    if ($Value -is [string] -and $Value -cmatch '\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d' -and
        [DateTimeOffset]::TryParse($Value, [cultureinfo]::InvariantCulture, $styles, [ref]$moment)) {
        return $moment.UtcDateTime
    }
    $null
}

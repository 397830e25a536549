function ConvertTo-UtcTime {
    <#
    .SYNOPSIS
    Returns a time as DateTime in UTC, or null when the value is not a time.

    .DESCRIPTION
    The platform has already converted most JSON strings that look like a time to DateTime. Without a zone, UTC is
    assumed.

    .PARAMETER Value
    The value in the message.
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

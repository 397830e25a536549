function Read-ExchangeRow {
    <#
    .SYNOPSIS
    Runs one Exchange cmdlet once and reads its rows one by one.

    .DESCRIPTION
    Warnings are read from the stream: -WarningVariable misses those of nested functions. Any error ends the read.

    .PARAMETER Name
    The cmdlet.

    .PARAMETER Parameter
    Its parameters, bound by name.

    .PARAMETER Keep
    Decides which rows to keep.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [string]$Name,

        [Parameter(Mandatory)]
        [hashtable]$Parameter,

        [Parameter(Mandatory)]
        [scriptblock]$Keep
    )

    $read = [pscustomobject]@{
        Rows     = [System.Collections.Generic.List[object]]::new()
        Scanned  = 0
        Warnings = [System.Collections.Generic.List[string]]::new()
    }
    & $Name @Parameter -ErrorAction Stop -WarningAction Continue 3>&1 | ForEach-Object {
        if ($_ -is [System.Management.Automation.WarningRecord]) {
            $read.Warnings.Add($_.Message)
        } elseif ($null -ne $_) {
            $read.Scanned++
            if (& $Keep $_) { $read.Rows.Add($_) }
        }
    }
    $read
}

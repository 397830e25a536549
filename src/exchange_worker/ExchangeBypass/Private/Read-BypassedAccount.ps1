function Read-BypassedAccount {
    <#
    .SYNOPSIS
    Writes the accounts whose bypass is on into Content; returns Scanned, Warnings and Partial, which is null.

    .PARAMETER Content
    The content, as Reset-Content makes it.

    .PARAMETER Setting
    The settings of the worker.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [hashtable]$Content,

        [Parameter(Mandatory)]
        [pscustomobject]$Setting
    )

    Reset-Content -Content $Content
    $list = Get-BypassedObject -Setting $Setting
    foreach ($each in $list.Objects) { Add-ContentLine -Content $Content -Line $each }
    [pscustomobject]@{ Scanned = $list.Scanned; Warnings = @($list.Warnings); Partial = $null }
}

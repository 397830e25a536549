function ConvertTo-MailboxRecord {
    <#
    .SYNOPSIS
    Returns the stored settings of a mailbox, or null when there is no such record.

    .PARAMETER Value
    What the binding returned for the blob: null, text, bytes, or a dictionary.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Value
    )

    if ($Value -is [byte[]]) { $Value = ConvertTo-BlobText -Value $Value }
    if ($Value -is [string] -and $Value) { $Value = ConvertFrom-Json -InputObject $Value -AsHashtable }
    if ($Value -is [System.Collections.IDictionary] -and $Value['settings'] -is [System.Collections.IDictionary]) {
        return $Value
    }
    $null
}

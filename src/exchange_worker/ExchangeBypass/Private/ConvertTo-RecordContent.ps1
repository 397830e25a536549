function ConvertTo-RecordContent {
    <#
    .SYNOPSIS
    Returns the settings of a mailbox as the worker stores them before a change: UTF-8 JSON.

    .PARAMETER Command
    The command that asked for it.

    .PARAMETER Settings
    The audit settings as they were read.
    #>
    [CmdletBinding()]
    [OutputType([byte[]])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Settings
    )

    $record = [ordered]@{
        schema_version = 1
        command_id     = $Command['command_id']
        object_id      = $Command['object_id']
        at             = Get-UtcNow
        settings       = $Settings
    }
    , [System.Text.Encoding]::UTF8.GetBytes(($record | ConvertTo-Json -Compress -Depth 4))
}

function ConvertTo-SweepContent {
    <#
    .SYNOPSIS
    Returns the content of a sweep's blob: UTF-8 JSON with the command id and all bypassed accounts.

    .PARAMETER Answer
    The answer that refers to the blob.

    .PARAMETER Objects
    The bypassed objects; may be empty.
    #>
    [CmdletBinding()]
    [OutputType([byte[]])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.Specialized.OrderedDictionary]$Answer,

        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]]$Objects
    )

    $content = [ordered]@{
        schema_version = 1
        command_id     = $Answer.command_id
        tenant_id      = $Answer.tenant_id
        started_at     = $Answer.started_at
        complete       = $Answer.complete
        scanned        = $Answer.scanned
        bypassed       = @($Objects)
    }
    $json = $content | ConvertTo-Json -Compress -Depth 4
    , [System.Text.Encoding]::UTF8.GetBytes($json)
}

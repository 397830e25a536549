function ConvertTo-SweepContent {
    <#
    .SYNOPSIS
    Gives the bytes of the blob of a sweep: UTF-8 JSON that names its command and everybody who is bypassed.

    .PARAMETER Answer
    The answer that goes with it.

    .PARAMETER Objects
    The bypassed objects; may be none.
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

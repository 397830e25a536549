function Reset-Content {
    <#
    .SYNOPSIS
    Empties the content of a read: gzipped lines in Memory, written through Writer, counted in Rows.

    .PARAMETER Content
    The content.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory)]
        [hashtable]$Content
    )

    if (-not $PSCmdlet.ShouldProcess('the content in memory')) { return }
    $Content.Memory = [System.IO.MemoryStream]::new()
    $gzip = [System.IO.Compression.GZipStream]::new($Content.Memory, [System.IO.Compression.CompressionLevel]::Fastest)
    $Content.Writer = [System.IO.StreamWriter]::new($gzip, [System.Text.UTF8Encoding]::new($false))
    $Content.Writer.NewLine = "`n"
    $Content.Rows = 0
}

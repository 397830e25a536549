<#
.SYNOPSIS
Runs one function of the Exchange worker for one message after another, as the Functions platform does.

.DESCRIPTION
One line of JSON on stdin per message: {"body": text, "metadata": {...}, "inputs": {binding: text or null}}. One line on stdout per message:
{"driver": "done", "ok": true, "outputs": {"Result": ["…"]}, "error": null}. Bytes come as {"base64": "…"}.
{"measure": true} in place of a message: a line {"driver": "measured", "live_bytes": 1}, what lives after a collection.
The first line says {"driver": "ready", "powershell": "7.6.9"}. Everything else on stdout is no line of this protocol. Ends with stdin.

A message that is a JSON object or array reaches run.ps1 as the platform's worker hands it over: dictionaries with
case-sensitive keys, texts that look like a time as DateTime. Anything else stays a text.

.PARAMETER App
The folder of the function app.

.PARAMETER Function
The folder of the function in it.

.PARAMETER ModulePath
Where ExchangeOnlineManagement is; in a deployed app that is its folder Modules.
#>
param(
    [Parameter(Mandatory)][string]$App,
    [Parameter(Mandatory)][string]$Function,
    [Parameter(Mandatory)][string]$ModulePath
)

$utf8 = [System.Text.UTF8Encoding]::new($false)
$in = [System.IO.StreamReader]::new([Console]::OpenStandardInput(), $utf8)
$out = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput(), $utf8)
$out.AutoFlush = $true
$env:PSModulePath = $ModulePath + [System.IO.Path]::PathSeparator + $env:PSModulePath
$folder = Join-Path $App $Function
$bindings = (Get-Content -Raw (Join-Path $folder 'function.json') | ConvertFrom-Json).bindings
$global:BypassDriverAllowed = @($bindings | Where-Object direction -EQ 'out' | ForEach-Object name)
$global:BypassDriverOutputs = @{}

function global:Push-OutputBinding {
    <#
    .SYNOPSIS
    Keeps what the function gives to one of its output bindings.
    #>
    param([Parameter(Mandatory)][string]$Name, [Parameter(Mandatory)][object]$Value)

    if ($Name -cnotin $global:BypassDriverAllowed) { throw "function.json has no output binding '$Name'." }
    $kept = $Value -is [byte[]] ? @{ base64 = [Convert]::ToBase64String($Value) } : $Value
    $global:BypassDriverOutputs[$Name] = @($global:BypassDriverOutputs[$Name]) + $kept | Where-Object { $null -ne $_ }
}

function ConvertFrom-Body {
    <#
    .SYNOPSIS
    Gives a message as the platform's worker gives it to run.ps1.
    #>
    param([object]$Body)

    $text = ([string]$Body).Trim()
    if ($text.Length -ge 2 -and (($text[0] -eq '{' -and $text[-1] -eq '}') -or ($text[0] -eq '[' -and $text[-1] -eq ']'))) {
        try { $Body = ConvertFrom-Json -InputObject $text -AsHashtable -NoEnumerate } catch { $null = 'not JSON: stays a text' }
    }
    , $Body
}

function ConvertFrom-Input {
    <#
    .SYNOPSIS
    Gives what an input binding found: null when there is no blob, else as a message.
    #>
    param([object]$Text)

    if ($null -eq $Text) { return $null }
    ConvertFrom-Body -Body $Text
}

. (Join-Path $App 'profile.ps1')
$global:BypassDriverKnown = @()
$global:BypassDriverKnown = @((Get-Variable -Scope Global).Name)
$out.WriteLine((@{ driver = 'ready'; powershell = [string]$PSVersionTable.PSVersion } | ConvertTo-Json -Compress))
while ($null -ne ($line = $in.ReadLine())) {
    $given = ConvertFrom-Json -InputObject $line -AsHashtable -DateKind String
    if ($given['measure']) {
        $out.WriteLine((@{ driver = 'measured'; live_bytes = [GC]::GetTotalMemory($true) } | ConvertTo-Json -Compress))
        continue
    }
    $global:BypassDriverOutputs = @{}
    $failure = $null
    try {
        $item = ConvertFrom-Body -Body $given['body']
        $inputs = @{}
        foreach ($name in @($given['inputs'].Keys)) { $inputs[$name] = ConvertFrom-Input -Text $given['inputs'][$name] }
        & (Join-Path $folder 'run.ps1') -QueueItem $item -TriggerMetadata $given['metadata'] @inputs *>&1 |
            ForEach-Object { [Console]::Error.WriteLine([string]$_) }
    } catch {
        $failure = $_.Exception.Message
    }
    $new = Get-Variable -Scope Global | Where-Object { $_.Name -notin $global:BypassDriverKnown -and -not ($_.Options -band 'ReadOnly, Constant') }
    $new | Remove-Variable -Scope Global -Force  # the platform does so after each run
    $outputs = @{}
    foreach ($name in $global:BypassDriverOutputs.Keys) { $outputs[$name] = @($global:BypassDriverOutputs[$name]) }
    $done = @{ driver = 'done'; ok = $null -eq $failure; outputs = $outputs; error = $failure }
    $out.WriteLine(($done | ConvertTo-Json -Compress -Depth 5))
}

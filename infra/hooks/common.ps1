# Dot-sourced by every hook first. azd gives them the values of its environment as variables. The same as common.sh,
# with Python's own tools in place of make, which Windows lacks.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false  # exit codes are checked explicitly
Set-Location (Join-Path (Join-Path $PSScriptRoot '..') '..')
$Programs = Join-Path (Join-Path $PWD '.venv') $(if ($IsWindows) { 'Scripts' } else { 'bin' })
$env:PATH = $Programs + [IO.Path]::PathSeparator + $env:PATH

function Write-Line([string] $Line) { [Console]::Error.WriteLine("${Hook}: $Line") }

function Stop-Hook([string] $Line, [int] $Code = 1) {
    Write-Line $Line
    exit $Code
}

function Get-Setting([string] $Name) { [Environment]::GetEnvironmentVariable($Name) }

# What azd provision sets.
function Assert-Setting([string[]] $Names) {
    foreach ($name in $Names) {
        if (-not (Get-Setting $name)) { Stop-Hook "$name is not set: run azd provision first" 2 }
    }
}

# An older one may deploy forever to an app that denies inbound requests (Azure/azure-cli#30870).
$AzMinimum = '2.91.0'

function Assert-AzureCli {
    $version = & az version --query '"azure-cli"' --output tsv
    if ($LASTEXITCODE -or -not $version) {
        Stop-Hook "the Azure CLI gave no version; install $AzMinimum or newer, then try again" 3
    }
    if ([version] "$version".Trim() -lt [version] $AzMinimum) {
        Stop-Hook "the Azure CLI is $version, $AzMinimum or newer is needed; run: az upgrade" 3
    }
}

# bypassctl and the packager, and what they need. What they say goes to the
# error stream: output is what a function gives.
function Initialize-Environment {
    $failed = 'the environment was not created; fix the Python error above, then try again'
    if (-not (Test-Path $Programs)) {
        & py -3 -m venv .venv | ForEach-Object { [Console]::Error.WriteLine("$_") }
        if ($LASTEXITCODE) { Stop-Hook $failed 3 }
    }
    & (Join-Path $Programs 'python') -m pip install --quiet --disable-pip-version-check --editable '.[cli]' |
        ForEach-Object { [Console]::Error.WriteLine("$_") }
    if ($LASTEXITCODE) { Stop-Hook $failed 3 }
}

# Returns whether all permissions are granted. Stops if that cannot be determined.
function Test-Grant {
    Assert-Setting TENANT_ID, RESPONDER_PRINCIPAL_ID, RESPONDER_CLIENT_ID, WORKER_PRINCIPAL_ID, WORKER_CLIENT_ID
    Initialize-Environment
    & bypassctl grant --check | ForEach-Object { [Console]::Out.WriteLine($_) }
    if ($LASTEXITCODE -gt 1) {
        Stop-Hook 'the permissions could not be checked; fix the error above, then run: azd up' $LASTEXITCODE
    }
    $LASTEXITCODE -eq 0
}

# The command for the directory administrator, who may use another machine.
function Get-GrantCommand {
    $names = 'TENANT_ID', 'RESPONDER_PRINCIPAL_ID', 'RESPONDER_CLIENT_ID', 'WORKER_PRINCIPAL_ID',
        'WORKER_CLIENT_ID'
    (($names | ForEach-Object { "`$env:$_='$(Get-Setting $_)'; " }) -join '') + 'bypassctl grant'
}

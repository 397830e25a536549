# Before azd packs build/responder: fills it.
$Hook = 'package-responder'
. $PSScriptRoot/common.ps1

if (-not (Test-Path $Programs)) { Initialize-Environment }  # azd deploy runs no prepackage
& (Join-Path $Programs 'python') -m infra.package_responder
if ($LASTEXITCODE) { Stop-Hook 'the responder was not packaged; fix the error above, then try again' }

# Before azd packs build/responder: fill it.
$Hook = 'package-responder'
. $PSScriptRoot/common.ps1

& (Join-Path $Programs 'python') -m infra.package_responder
if ($LASTEXITCODE) { Stop-Hook 'the responder was not packaged; mend what it says above, then again' }

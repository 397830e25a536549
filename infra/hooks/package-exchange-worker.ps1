# Before azd packs build/exchange-worker: fill it. MODULES_FROM or GALLERY_URL says where the modules come from.
$Hook = 'package-exchange-worker'
. $PSScriptRoot/common.ps1

& py -3 -m infra.package_exchange_worker
if ($LASTEXITCODE) {
    Stop-Hook 'the worker was not packaged; mend what it says above (azd env set NAME VALUE), then again'
}

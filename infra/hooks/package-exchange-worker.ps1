# Before azd packs build/exchange-worker: fills it. MODULES_FROM or GALLERY_URL is the source of the modules.
$Hook = 'package-exchange-worker'
. $PSScriptRoot/common.ps1

& py -3 -m infra.package_exchange_worker
if ($LASTEXITCODE) {
    Stop-Hook 'the worker was not packaged; fix the error above (azd env set NAME VALUE), then try again'
}

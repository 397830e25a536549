# Before packaging: creates the environment, because the packagers may run in parallel and both need it.
$Hook = 'prepackage'
. $PSScriptRoot/common.ps1

Initialize-Environment

# Before packaging: checks the Azure CLI, and creates the environment, because the packagers may run in parallel and both need it.
$Hook = 'prepackage'
. $PSScriptRoot/common.ps1

Assert-AzureCli
Initialize-Environment

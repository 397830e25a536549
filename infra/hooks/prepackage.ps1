# Before anything is packaged: the environment, so that the packagers, which may run side by side, find it made.
$Hook = 'prepackage'
. $PSScriptRoot/common.ps1

Initialize-Environment

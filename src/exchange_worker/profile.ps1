# Runs once when a worker starts. Imports nothing: the start has 30 seconds, and the first command loads what it needs.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

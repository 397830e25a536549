#!/bin/sh
# Before packaging: checks the Azure CLI, and creates the environment, because the packagers may run in parallel and both need it.
HOOK=prepackage
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

require_az
environment

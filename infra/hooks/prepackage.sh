#!/bin/sh
# Before packaging: creates the environment, because the packagers may run in parallel and both need it.
HOOK=prepackage
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

environment

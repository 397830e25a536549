#!/bin/sh
# Before anything is packaged: the environment, so that the packagers, which may run side by side, find it made.
HOOK=prepackage
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

environment

#!/bin/sh
# Before azd packs build/exchange-worker: fills it. MODULES_FROM or GALLERY_URL is the source of the modules.
HOOK=package-exchange-worker
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

make exchange-worker || stop "the worker was not packaged; fix the error above (azd env set NAME VALUE), then try again"

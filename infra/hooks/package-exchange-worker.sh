#!/bin/sh
# Before azd packs build/exchange-worker: fill it. MODULES_FROM or GALLERY_URL says where the modules come from.
HOOK=package-exchange-worker
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

make exchange-worker || stop "the worker was not packaged; mend what it says above (azd env set NAME VALUE), then again"

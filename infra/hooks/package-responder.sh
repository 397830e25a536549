#!/bin/sh
# Before azd packs build/responder: fills it.
HOOK=package-responder
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

make package-responder || stop "the responder was not packaged; fix the error above, then try again"

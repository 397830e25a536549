#!/bin/sh
# Before azd packs build/responder: fill it.
HOOK=package-responder
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

make package-responder || stop "the responder was not packaged; mend what it says above, then again"

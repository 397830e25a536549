#!/bin/sh
# Before code is deployed: refuse it while rights are missing. BYPASS_GRANT=skip deploys all the same.
HOOK=predeploy
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

[ "${BYPASS_GRANT:-}" != skip ] || { tell "deploys without looking at the rights: BYPASS_GRANT=skip"; exit 0; }
check_grant
[ "$granted" -eq 0 ] || stop "rights are missing, so nothing was deployed: an app that starts now lacks them for up to \
a day. A Privileged Role Administrator runs: $(grant_command). To deploy all the same: azd env set BYPASS_GRANT skip"

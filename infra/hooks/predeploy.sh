#!/bin/sh
# Before code is deployed: refuses while permissions are missing. BYPASS_GRANT=skip deploys anyway.
HOOK=predeploy
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

[ "${BYPASS_GRANT:-}" != skip ] || { log "deploying without checking permissions: BYPASS_GRANT=skip"; exit 0; }
check_grant
[ "$granted" -eq 0 ] || stop "permissions are missing, so nothing was deployed: an app that starts now lacks them for up to \
a day. A Privileged Role Administrator runs: $(grant_command). To deploy anyway: azd env set BYPASS_GRANT skip"

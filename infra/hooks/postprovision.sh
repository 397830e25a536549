#!/bin/sh
# After the resources are there and before any code is: the rights. A token fetched before its grant lacks the role for
# up to a day. BYPASS_GRANT=now grants them here, as the person who is signed in; otherwise this stops and says who can.
HOOK=postprovision
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

[ "${BYPASS_GRANT:-}" != skip ] || { log "permissions not checked: BYPASS_GRANT=skip"; exit 0; }
check_grant
[ "$granted" -ne 0 ] || exit 0
[ "${BYPASS_GRANT:-}" = now ] || stop "permissions are missing, so nothing was deployed. A Privileged Role Administrator \
runs what bypassctl grant --script prints, or: $(grant_command); an Exchange administrator runs what bypassctl grant --exchange-script prints. Then: azd up"
bypassctl grant --yes || stop "not all permissions were granted; fix the errors above, then run: azd up"

#!/bin/sh
# Before the resources go: the rights of the identities, while their names still mean something.
HOOK=predown
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

[ "${BYPASS_GRANT:-}" != skip ] || { tell "the rights are left as they are: BYPASS_GRANT=skip"; exit 0; }
[ -n "${RESPONDER_PRINCIPAL_ID:-}" ] || { tell "nothing was provisioned, so no rights are taken back"; exit 0; }
need TENANT_ID RESPONDER_PRINCIPAL_ID RESPONDER_CLIENT_ID WORKER_PRINCIPAL_ID WORKER_CLIENT_ID
environment
bypassctl grant --revoke --yes || stop "the rights were not taken back completely, so nothing was deleted. Let a \
Privileged Role Administrator run: $(grant_command) --revoke, or delete all the same: azd env set BYPASS_GRANT skip"
tell "the rights are taken back. If you keep the resources after all, grant them again: azd provision"

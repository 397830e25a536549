#!/bin/sh
# Before the resources are deleted: revokes the permissions of the identities while they still exist.
HOOK=predown
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

[ "${BYPASS_GRANT:-}" != skip ] || { log "permissions not revoked: BYPASS_GRANT=skip"; exit 0; }
[ -n "${RESPONDER_PRINCIPAL_ID:-}" ] || { log "nothing was provisioned, so there are no permissions to revoke"; exit 0; }
need TENANT_ID RESPONDER_PRINCIPAL_ID RESPONDER_CLIENT_ID WORKER_PRINCIPAL_ID WORKER_CLIENT_ID
environment
bypassctl grant --revoke --yes || stop "not all permissions were revoked, so nothing was deleted. Let a \
Privileged Role Administrator run: $(grant_command) --revoke, or delete anyway: azd env set BYPASS_GRANT skip"
log "permissions revoked. To keep the resources after all, grant them again: azd provision"

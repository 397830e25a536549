#!/bin/sh
# Stops a deployment while a permission in Entra is missing: `bypassctl grant --check` for deploy.yml, whose job has a
# token for Azure and therefore installs nothing.
set -eu
missing=0

check() { # OBJECT_ID ROLE NAME
  held=$(az rest --method get --url "https://graph.microsoft.com/v1.0/servicePrincipals/$1/appRoleAssignments" \
    --query 'value[].appRoleId' --output tsv)
  case "$held" in
    *"$2"*) ;;
    *) missing=1; echo "missing: $3" >&2 ;;
  esac
}

check "$RESPONDER_PRINCIPAL_ID" df021288-bdef-4463-88db-98f22de89214 'responder: User.Read.All'
check "$RESPONDER_PRINCIPAL_ID" 77f3a031-c388-4f99-b373-dc68676a979e 'responder: User.RevokeSessions.All'
check "$RESPONDER_PRINCIPAL_ID" 3011c876-62b7-4ada-afa2-506cbbecc68c 'responder: User.EnableDisableAccount.All'
check "$RESPONDER_PRINCIPAL_ID" 594c1fb6-4f81-4475-ae41-0c394909246c 'responder: ActivityFeed.Read'
check "$WORKER_PRINCIPAL_ID" dc50a0fb-09a3-484d-be87-e023b12c6440 'worker: Exchange.ManageAsApp'
[ "$missing" = 0 ] || { echo 'Nothing was deployed. A Privileged Role Administrator grants them: bypassctl grant' >&2; exit 1; }

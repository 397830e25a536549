#!/bin/sh
# Grants the two identities of the mailbox audit bypass responder their permissions in Entra, and nothing else.
#
# Printed by `bypassctl grant --script`. Needs only the Azure CLI; Azure Cloud Shell (Bash) has it. Read it, then run it
# as a Privileged Role Administrator or Global Administrator, after: az login --tenant __TENANT__ --allow-no-subscriptions
# It is safe to repeat: what is granted already is skipped.
set -eu
graph='__GRAPH__/v1.0'

read_from_graph() { # PATH QUERY
  az rest --method get --url "$graph/$1" --query "$2" --output tsv
}

verify() { # NAME OBJECT_ID CLIENT_ID: stops unless both ids are of one identity
  found=$(read_from_graph "servicePrincipals/$2" appId)
  [ "$found" = "$3" ] || { echo "The $1's identity $2 has the client id $found, not $3. Nothing was granted." >&2; exit 1; }
}

grant() { # OBJECT_ID SERVICE ROLE WHAT
  service=$(read_from_graph "servicePrincipals(appId='$2')" id)
  if answer=$(az rest --method post --url "$graph/servicePrincipals/$service/appRoleAssignedTo" \
    --headers 'Content-Type=application/json' --output none \
    --body "{\"principalId\": \"$1\", \"resourceId\": \"$service\", \"appRoleId\": \"$3\"}" 2>&1); then
    echo "granted: $4"
    return
  fi
  case "$answer" in
    *'already exists'*) echo "already granted: $4" ;;
    *) printf '%s\nNot granted: %s\n' "$answer" "$4" >&2; exit 1 ;;
  esac
}

signed_in=$(az account show --query tenantId --output tsv)
if [ "$signed_in" != '__TENANT__' ]; then
  echo "Signed in to the tenant $signed_in. Run: az login --tenant __TENANT__ --allow-no-subscriptions" >&2
  exit 1
fi

__CALLS__

echo 'Done. The installer checks it with: bypassctl grant --check'

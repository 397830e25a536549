# Sourced by every hook, in the root of the checkout. azd gives them the values of its environment as variables.
set -eu
VENV=.venv
PATH="$PWD/$VENV/bin:$PATH"
export VENV PATH

log() { printf '%s: %s\n' "$HOOK" "$1" >&2; }

stop() { # LINE [EXIT_CODE]
  log "$1"
  exit "${2:-1}"
}

need() { # NAME…: what azd provision sets
  for name in "$@"; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || stop "$name is not set: run azd provision first" 2
  done
}

# An older one may deploy forever to an app that denies inbound requests (Azure/azure-cli#30870).
AZ_MINIMUM=2.91.0

require_az() {
  version=$(az version --query '"azure-cli"' --output tsv) || version=
  [ -n "$version" ] || stop "the Azure CLI gave no version; install $AZ_MINIMUM or newer, then try again" 3
  lower=$(printf '%s\n' "$AZ_MINIMUM" "$version" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)
  [ "$lower" = "$AZ_MINIMUM" ] || stop "the Azure CLI is $version, $AZ_MINIMUM or newer is needed; run: az upgrade" 3
}

# bypassctl and the packager, and what they need; quick when nothing changed
environment() { make setup >&2 || stop "the environment was not created; fix the make error above, then try again" 3; }

# Sets granted: 0 complete, 1 something is missing. Anything else stops.
check_grant() {
  need TENANT_ID RESPONDER_PRINCIPAL_ID RESPONDER_CLIENT_ID WORKER_PRINCIPAL_ID WORKER_CLIENT_ID
  environment
  granted=0
  bypassctl grant --check || granted=$?
  [ "$granted" -le 1 ] || stop "the permissions could not be checked; fix the error above, then run: azd up" "$granted"
}

# The command for the directory administrator, who may use another machine.
grant_command() {
  printf 'TENANT_ID=%s RESPONDER_PRINCIPAL_ID=%s RESPONDER_CLIENT_ID=%s ' \
    "$TENANT_ID" "$RESPONDER_PRINCIPAL_ID" "$RESPONDER_CLIENT_ID"
  printf 'WORKER_PRINCIPAL_ID=%s WORKER_CLIENT_ID=%s bypassctl grant' "$WORKER_PRINCIPAL_ID" "$WORKER_CLIENT_ID"
}

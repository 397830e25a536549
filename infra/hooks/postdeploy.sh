#!/bin/sh
# After both apps are deployed: the console, where CONSOLE_APP_NAME says that there is one (azd cannot leave out a service),
# and the event subscription, which needs the function that it delivers to. Azure may not know
# the function for some minutes, and has its own errors: only what cannot pass is not tried again. EVENTS_TEMPLATE is
# the compiled template of a release.
HOOK=postdeploy
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

need AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP EVENT_TOPIC_NAME RESPONDER_APP_NAME DATA_ACCOUNT_NAME ALERTS_TO
if [ -n "${CONSOLE_APP_NAME:-}" ]; then
  require_az
  make package-console || stop "the console was not packaged; fix the error above, then run: azd deploy"
  az functionapp deployment source config-zip --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$CONSOLE_APP_NAME" --src build/console.zip --build-remote false \
    --output none --only-show-errors || stop "the console was not deployed; fix the Azure error above, then run: azd deploy"
  log "the console: https://$CONSOLE_APP_NAME.azurewebsites.net"
fi
[ "$ALERTS_TO" != none ] || { log "no event subscription: ALERTS_BY_QUEUE=never"; exit 0; }
require_az
try=1
until output=$(az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" \
  --resource-group "$AZURE_RESOURCE_GROUP" --name bypass-events --template-file "${EVENTS_TEMPLATE:-infra/events.bicep}" \
  --output none --only-show-errors --parameters \
  "topicName=$EVENT_TOPIC_NAME" "responderAppName=$RESPONDER_APP_NAME" "dataAccountName=$DATA_ACCOUNT_NAME" \
  "alertsTo=$ALERTS_TO" 2>&1); do
  case "$output" in
    *AuthorizationFailed* | *"does not have authorization"* | *RequestDisallowedByPolicy* | *"az login"* | \
      *"(InvalidTemplate)"* | *'"InvalidTemplate"'* | *"Error BCP"* | *InvalidRequestContent*)
      printf '%s\n' "$output" >&2
      stop "the event subscription was not created; fix the Azure error above, then run: azd deploy"
      ;;
  esac
  if [ "$try" -ge 10 ]; then
    printf '%s\n' "$output" >&2
    stop "the event subscription was not created in $try attempts. Alerts do not arrive; the feed and the sweep work. \
Run: azd deploy"
  fi
  case "$output" in
    *"estination endpoint not found"*) log "Azure cannot find the function yet; attempt $try of 10" ;;
    *) log "attempt $try of 10 failed: $(printf '%s' "$output" | head -n 1)" ;;
  esac
  try=$((try + 1))
  sleep "${EVENTS_RETRY_SECONDS:-30}"
done

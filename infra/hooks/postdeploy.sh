#!/bin/sh
# After both apps are deployed: the event subscription, which needs the function that it delivers to. Azure may not know
# the function for some minutes.
HOOK=postdeploy
cd "$(dirname "$0")/../.."
. infra/hooks/common.sh

need AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP EVENT_TOPIC_NAME RESPONDER_APP_NAME DATA_ACCOUNT_NAME
try=1
until said=$(az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" \
  --resource-group "$AZURE_RESOURCE_GROUP" --name bypass-events --template-file infra/events.bicep \
  --output none --only-show-errors --parameters \
  "topicName=$EVENT_TOPIC_NAME" "responderAppName=$RESPONDER_APP_NAME" "dataAccountName=$DATA_ACCOUNT_NAME" \
  "networkIsolation=${NETWORK_ISOLATION:-false}" 2>&1); do
  case "$said" in
    *"estination endpoint not found"*) ;;
    *)
      printf '%s\n' "$said" >&2
      stop "the event subscription was not created; fix the Azure error above, then run: azd deploy"
      ;;
  esac
  [ "$try" -lt 10 ] || stop "the event subscription was not created: Azure cannot find the function receive_alert after \
$try tries. Alerts do not arrive; the feed and the sweep work. Run: azd deploy"
  tell "Azure cannot find the function yet; attempt $try of 10"
  try=$((try + 1))
  sleep "${EVENTS_RETRY_SECONDS:-30}"
done

// The alert subscription. Deploy it after the app: Event Grid requires that the function exists.

import { containers, queues } from 'modules/names.bicep'

@description('Name of the Event Grid topic.')
param topicName string

@description('Name of the responder\'s function app.')
param responderAppName string

@description('Name of the data account.')
param dataAccountName string

@description('The function receive_alert, or the queue alerts where Event Grid cannot or must not reach the app.')
param alertsTo 'function' | 'queue' = 'function'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: responderAppName

  resource receiveAlert 'functions' existing = {
    name: 'receive_alert'
  }
}

resource data 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: dataAccountName
}

var retryPolicy = { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
var deadLetters = {
  identity: { type: 'SystemAssigned' }
  deadLetterDestination: {
    endpointType: 'StorageBlob'
    properties: { resourceId: data.id, blobContainerName: containers.deadLetters }
  }
}

resource toFunction 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = if (alertsTo == 'function') {
  parent: topic
  name: 'bypass-alerts'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
    destination: {
      endpointType: 'AzureFunction'
      properties: { resourceId: app::receiveAlert.id, maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: 64 }
    }
  }
}

resource toQueue 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = if (alertsTo == 'queue') {
  parent: topic
  name: 'bypass-alerts'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: { resourceId: data.id, queueName: queues.alerts, queueMessageTimeToLiveInSeconds: -1 }
      }
    }
  }
}

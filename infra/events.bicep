// The alert subscription. Deploy it after the app: Event Grid requires that the function exists.

import { containers, queues } from 'modules/names.bicep'

@description('Name of the Event Grid topic.')
param topicName string

@description('Name of the responder\'s function app.')
param responderAppName string

@description('Name of the data account.')
param dataAccountName string

@description('True: Event Grid delivers to the queue because it cannot reach the app.')
param networkIsolation bool = false

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

resource subscription 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'bypass-alerts'
  properties: {
    destination: networkIsolation
      ? null
      : {
          endpointType: 'AzureFunction'
          properties: { resourceId: app::receiveAlert.id, maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: 64 }
        }
    deliveryWithResourceIdentity: networkIsolation
      ? {
          identity: { type: 'SystemAssigned' }
          destination: {
            endpointType: 'StorageQueue'
            properties: { resourceId: data.id, queueName: queues.alerts, queueMessageTimeToLiveInSeconds: -1 }
          }
        }
      : null
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: data.id, blobContainerName: containers.deadLetters }
      }
    }
  }
}

// The Event Grid topic for alerts from a SIEM. events.bicep adds its subscription, which needs the deployed function.

param location string
param tags { *: string }
param name string

@description('Allows senders that cannot sign in to Entra to use a topic key.')
param allowKeys bool

@description('Addresses that may send. Empty: any address; authentication is still required.')
param senderAddresses string[]

@description('Resource id of the workspace that receives logs of failed deliveries.')
param logWorkspaceId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' } // delivers dead letters, and to the queue
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: !allowKeys
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled' // a SIEM is rarely in this network
    inboundIpRules: [for address in senderAddresses: { ipMask: address, action: 'Allow' }]
  }
}

resource failures 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'failures'
  properties: {
    workspaceId: logWorkspaceId
    logs: [
      { category: 'DeliveryFailures', enabled: true }
      { category: 'PublishFailures', enabled: true }
    ]
  }
}

output endpoint string = topic.properties.endpoint
output principalId string = topic.identity.principalId

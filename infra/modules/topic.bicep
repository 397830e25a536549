// The door for alerts of a SIEM. Its subscription comes later, with events.bicep: it needs the deployed function.

param location string
param tags { *: string }
param name string

@description('Lets a sender use a key of the topic, where it cannot sign in to Entra.')
param allowKeys bool

@description('Only these addresses may send; empty lets every address try.')
param senderAddresses string[]

@description('Resource id of the workspace that keeps failed deliveries.')
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
    publicNetworkAccess: 'Enabled' // a SIEM is seldom in this network
    inboundIpRules: [for address in senderAddresses: { ipMask: address, action: 'Allow' }]
  }
}

#disable-next-line use-recent-api-versions // the newest that is no preview cannot send to a workspace by category
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

// The data account, which stores all data of the responder. roles.bicep assigns access to it.

import { containers, poison, queues, tables } from 'names.bicep'

param location string
param tags { *: string }
param name string

@description('Redundancy of the account.')
param redundancy string

@description('Days for which a checkpoint of the response log cannot be changed or deleted.')
param checkpointDays int

@description('True: the retention is locked and not managed here.')
param locked bool

@description('True: only private endpoints and the allowed addresses can reach the account.')
param isolated bool
param allowedAddresses string[]

@description('True: Event Grid has nothing to deliver here. Isolated and without addresses, no public endpoint remains.')
param closed bool

@description('Whether a lock protects the account from deletion.')
param lock bool

@description('True: logs writes and deletions to the workspace.')
param keepLogs bool
param logWorkspaceId string

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Enabled even when isolated, unless nothing needs it: the firewall admits only the allowed addresses and Event Grid as a trusted service.
    // Disabled would block Event Grid, which cannot deliver to a private endpoint and passes a firewall only as a
    // trusted service with a system-assigned identity (MicrosoftDocs/azure-docs#105746).
    publicNetworkAccess: isolated && closed && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isolated ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
      ipRules: [for address in allowedAddresses: { value: address, action: 'Allow' }]
    }
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: account
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'The response log and the allowlist of the bypass responder.' }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [
  for name in tables: {
    parent: tableService
    name: name
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

var queueNames = map(items(queues), queue => queue.value)

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for name in concat(queueNames, map(queueNames, name => poison(name))): {
    parent: queueService
    name: name
  }
]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

var containerNames = map(items(containers), item => item.value)

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for name in containerNames: {
    parent: blobService
    name: name
    properties: { publicAccess: 'None' }
  }
]

// Unlocked: identities with data roles cannot remove it, but an owner of the account can. Locking is permanent and not
// possible in a template; docs/infrastructure.md explains how. Once locked, the account cannot be deleted before the
// retention of the last checkpoint expires.
resource kept 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = if (!locked) {
  parent: container[indexOf(containerNames, containers.checkpoints)]
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: checkpointDays
    allowProtectedAppendWrites: true
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'sweeps-go-after-8-days'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containers.sweeps}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: 8 } } }
          }
        }
        {
          name: 'reads-go-after-35-days'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containers.reads}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: 35 } } }
          }
        }
        {
          name: 'plans-go-after-90-days'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containers.plans}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: 90 } } }
          }
        }
        {
          name: 'dead-letters-go-after-90-days'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containers.deadLetters}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: 90 } } }
          }
        }
      ]
    }
  }
  dependsOn: [blobService]
}

// Logs of writes and deletions, for investigating a broken response log. Reads and queues are not logged: constant
// polling would make them cost more than everything else here.
resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (keepLogs) {
  scope: tableService
  name: 'writes'
  properties: {
    workspaceId: logWorkspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (keepLogs) {
  scope: blobService
  name: 'writes'
  properties: {
    workspaceId: logWorkspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output id string = account.id
output tableUri string = account.properties.primaryEndpoints.table
output queueUri string = account.properties.primaryEndpoints.queue
output blobUri string = account.properties.primaryEndpoints.blob

// All role assignments of the template. docs/permissions.md gives the reason for each.
//
// Each role is assigned on a single table, queue or container. The only exceptions are the host accounts: the function
// host requires roles on its app's entire host account.

import { containers, names, poison, queues, tables } from 'names.bicep'

param name names

@description('Object ids of the identities of the apps and of the topic.')
param responder string
param worker string
param console string
param topic string

@description('Whether Event Grid delivers to the alerts queue.')
param alertsByQueue bool

@description('Whether the console exists.')
param consoleExists bool

@description('Whether the vault exists.')
param vaultExists bool

@description('Object ids of groups. Empty: no group.')
param operators string
param readers string

@description('Object ids of the identities that may send alerts.')
param alertSenders string[]

var roles = {
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7' // EventGrid Data Sender
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' // Key Vault Secrets Officer
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893' // Log Analytics Reader
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  queueDataReader: '19e7f393-937e-4f77-808e-94535e297925' // Storage Queue Data Reader
  queueMessageProcessor: '8a0f0c08-91a1-4084-bc3d-661d67233fed' // Storage Queue Data Message Processor
  queueMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  tableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6' // Storage Table Data Reader
}

type principalType = 'ServicePrincipal' | 'Group'

type given = { to: string, type: principalType, role: string, on: string }

func toApp(to string, role string, on string[]) given[] =>
  map(on, each => { to: to, type: 'ServicePrincipal', role: role, on: each })

func toGroup(to string, role string, on string[]) given[] =>
  empty(to) ? [] : map(on, each => { to: to, type: 'Group', role: role, on: each })

// The app can only read the allowlist: only people may exempt an account from being blocked. People cannot write the
// ledger: they send decisions to a queue, and the app carries them out or refuses them.
var onTables given[] = concat(
  toApp(responder, roles.tableDataReader, ['Allowlist']),
  toApp(responder, roles.tableDataContributor, ['Ledger', 'Work', 'CaseIndex', 'Feed', 'Checkpoints', 'Evidence']),
  consoleExists ? toApp(console, roles.tableDataContributor, ['Allowlist']) : [],
  consoleExists
    ? toApp(console, roles.tableDataReader, ['Ledger', 'Work', 'CaseIndex', 'Feed', 'Checkpoints', 'Evidence'])
    : [],
  toGroup(operators, roles.tableDataContributor, ['Allowlist']),
  toGroup(operators, roles.tableDataReader, ['Ledger', 'Work', 'CaseIndex', 'Feed', 'Checkpoints', 'Evidence']),
  toGroup(readers, roles.tableDataReader, tables)
)

// The author of a message on consoleDecisions counts as verified: only the console's identity may send there, and
// without a console, no identity.
// A trigger needs Contributor on its queue: the host renews a message with Update Message, which Message Processor does
// not allow (MicrosoftDocs/azure-docs#120932). Otherwise a sweep longer than the visibility timeout would run twice.
var queueNames = map(items(queues), queue => queue.value)
var onQueues given[] = concat(
  toApp(responder, roles.queueDataContributor, [queues.alerts, queues.consoleDecisions, queues.decisions]),
  toApp(responder, roles.queueDataContributor, [queues.notifications, queues.readResults, queues.results]),
  toApp(responder, roles.queueMessageSender, [queues.commands, queues.checks, queues.reads, queues.sweeps]),
  toApp(
    responder,
    roles.queueMessageSender,
    [poison(queues.alerts), poison(queues.readResults), poison(queues.results)]
  ),
  toApp(responder, roles.queueMessageSender, [poison(queues.consoleDecisions), poison(queues.decisions)]),
  toApp(responder, roles.queueMessageSender, [poison(queues.notifications)]),
  toApp(responder, roles.queueMessageProcessor, map(queueNames, queue => poison(queue))),
  toApp(worker, roles.queueDataContributor, [queues.commands, queues.checks, queues.reads, queues.sweeps]),
  toApp(worker, roles.queueMessageSender, [queues.readResults, queues.results]),
  consoleExists ? toApp(console, roles.queueMessageSender, [queues.consoleDecisions]) : [],
  toApp(worker, roles.queueMessageSender, [poison(queues.commands), poison(queues.checks)]),
  toApp(worker, roles.queueMessageSender, [poison(queues.reads), poison(queues.sweeps)]),
  alertsByQueue ? toApp(topic, roles.queueMessageSender, [queues.alerts]) : [],
  toGroup(operators, roles.queueMessageSender, [queues.decisions]),
  toGroup(operators, roles.queueDataReader, concat(queueNames, map(queueNames, queue => poison(queue))))
)

var onContainers given[] = concat(
  toApp(responder, roles.blobDataContributor, [containers.evidence, containers.checkpoints]),
  toApp(responder, roles.blobDataReader, [containers.sweeps, containers.reads]),
  toApp(responder, roles.blobDataReader, [containers.plans, containers.deadLetters]),
  // Only the worker reaches changes: it refuses to make a mailbox audit less, except back to what it recorded there.
  toApp(worker, roles.blobDataContributor, [containers.sweeps, containers.reads, containers.changes]),
  toApp(topic, roles.blobDataContributor, [containers.deadLetters]),
  // A plan that an operator hands in is carried out only if its hash is that of the decision.
  toGroup(operators, roles.blobDataContributor, [containers.plans]),
  toGroup(
    operators,
    roles.blobDataReader,
    filter(map(items(containers), container => container.value), name => name != containers.plans)
  ),
  toGroup(readers, roles.blobDataReader, map(items(containers), container => container.value))
)

// ---- the data account -----------------------------------------------------------------------------------------------

resource data 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: name.dataAccount

  resource tableService 'tableServices' existing = {
    name: 'default'
  }

  resource queueService 'queueServices' existing = {
    name: 'default'
  }

  resource blobService 'blobServices' existing = {
    name: 'default'
  }
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' existing = [
  for each in onTables: {
    parent: data::tableService
    name: each.on
  }
]

resource tableRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, index) in onTables: {
    scope: table[index]
    name: guid(data.id, 'table', each.on, each.to, each.role)
    properties: {
      principalId: each.to
      principalType: each.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' existing = [
  for each in onQueues: {
    parent: data::queueService
    name: each.on
  }
]

resource queueRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, index) in onQueues: {
    scope: queue[index]
    name: guid(data.id, 'queue', each.on, each.to, each.role)
    properties: {
      principalId: each.to
      principalType: each.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = [
  for each in onContainers: {
    parent: data::blobService
    name: each.on
  }
]

resource containerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, index) in onContainers: {
    scope: container[index]
    name: guid(data.id, 'container', each.on, each.to, each.role)
    properties: {
      principalId: each.to
      principalType: each.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

// ---- the host accounts ----------------------------------------------------------------------------------------------

var onHosts given[] = concat(
  toApp(responder, roles.blobDataOwner, [name.responder.hostAccount]),
  toApp(responder, roles.tableDataContributor, [name.responder.hostAccount]),
  toApp(worker, roles.blobDataOwner, [name.worker.hostAccount]),
  toApp(worker, roles.tableDataContributor, [name.worker.hostAccount]),
  consoleExists ? toApp(console, roles.blobDataOwner, [name.console.hostAccount]) : [],
  consoleExists ? toApp(console, roles.tableDataContributor, [name.console.hostAccount]) : []
)

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' existing = [
  for each in onHosts: {
    name: each.on
  }
]

resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, index) in onHosts: {
    scope: host[index]
    name: guid(host[index].id, each.to, each.role)
    properties: {
      principalId: each.to
      principalType: each.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

// ---- telemetry, alerts, the vault -----------------------------------------------------------------------------------

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: name.insights
}

resource telemetryRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for app in concat([responder, worker], consoleExists ? [console] : []): {
    scope: insights
    name: guid(insights.id, app, roles.monitoringMetricsPublisher)
    properties: {
      principalId: app
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.monitoringMetricsPublisher
      )
    }
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: name.workspace
}

resource logRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for group in filter(union([operators], [readers]), id => !empty(id)): {
    scope: workspace
    name: guid(workspace.id, group, roles.logAnalyticsReader)
    properties: {
      principalId: group
      principalType: 'Group'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
    }
  }
]

resource alertTopic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: name.topic
}

resource senderRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for sender in alertSenders: {
    scope: alertTopic
    name: guid(alertTopic.id, sender, roles.eventGridDataSender)
    properties: {
      principalId: sender
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
    }
  }
]

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = if (vaultExists) {
  name: name.vault
}

var onVault given[] = vaultExists
  ? concat(
      toApp(responder, roles.keyVaultSecretsUser, [name.vault]),
      toGroup(operators, roles.keyVaultSecretsOfficer, [name.vault])
    )
  : []

resource vaultRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in onVault: {
    scope: vault
    name: guid(vault.id, each.to, each.role)
    properties: {
      principalId: each.to
      principalType: each.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

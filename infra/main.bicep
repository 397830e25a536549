// Everything in Azure but the rights in the directory and in Exchange, which `bypassctl grant` gives, and the
// subscription to the alerts, which needs the deployed app: events.bicep. docs/infrastructure.md explains it.
targetScope = 'subscription'

import { namesOf, queues } from 'modules/names.bicep'

// ---- what has no default --------------------------------------------------------------------------------------------

@description('Name of the azd environment; the resource group is called after it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region, with Flex Consumption, Python 3.13 and PowerShell 7.6.')
param location string

@description('First domain of the tenant, such as contoso.onmicrosoft.com.')
@minLength(3)
param exchangeOrganization string

@description('Who gets the e-mails of the alert rules.')
@minLength(5)
param alertEmail string

// ---- what it does ---------------------------------------------------------------------------------------------------

@description('observe decides and records and changes nothing; enforce acts.')
param mode 'observe' | 'enforce' = 'observe'

@description('Object ids, with commas between, of accounts that are never blocked, or the word none. Enforce needs it.')
param protectedObjectIds string = ''

@description('So many accounts are blocked in an hour without a person.')
@minValue(0)
@maxValue(1000)
param containmentLimitPerHour int = 5

@description('What happens to who ran the cmdlet.')
param actorResponse 'notify' | 'contain' = 'notify'

@description('So long without a new blob of the audit feed is a health alert.')
@minValue(1)
@maxValue(168)
param feedSilenceHours int = 6

@description('So often in an hour alerts may cause a question to Exchange.')
@minValue(0)
@maxValue(1000)
param hintChecksPerHour int = 60

@description('So long since the last complete sweep is a health alert.')
@minValue(1)
@maxValue(10080)
param sweepOverdueMinutes int = 60

@description('A sweep counts for so long, then another one is asked for.')
@minValue(5)
@maxValue(86400)
param sweepTimeoutSeconds int = 4200

@description('A command to the Exchange worker counts for so long, then it is asked again.')
@minValue(5)
@maxValue(3600)
param commandTimeoutSeconds int = 660

@description('So long the Exchange worker reads a change back.')
@minValue(0)
@maxValue(120)
param readBackSeconds int = 10

@description('The Exchange worker\'s pause before the second try of what may pass by itself; it doubles.')
@minValue(0)
@maxValue(60)
param retryPauseSeconds int = 2

@description('When the audit feed is read: six fields, NCRONTAB, UTC.')
param pollSchedule string = '0 * * * * *'

@description('When everything that is due is taken up: six fields, NCRONTAB, UTC.')
param resumeSchedule string = '30 * * * * *'

@description('When everybody\'s bypass is read: six fields, NCRONTAB, UTC.')
param sweepSchedule string = '0 */15 * * * *'

// ---- where it connects ----------------------------------------------------------------------------------------------

@description('Microsoft Graph.')
param graphUrl string = 'https://graph.microsoft.com'

@description('The audit feed; another address in GCC, GCC High and DoD.')
param managementApiUrl string = 'https://manage.office.com'

@description('Tenant id whose quota of the audit feed is used; empty is the shared pool.')
param publisherIdentifier string = ''

@description('https address that gets notifications; empty tells nobody. Makes a vault for the secret that signs.')
param notificationWebhookUrl string = ''

// ---- who may come in ------------------------------------------------------------------------------------------------

@description('Application id of an app registration: callers of the app then sign in to Entra. Empty is off.')
param authClientId string = ''

@description('Object id of the Entra group that edits the allowlist and decides with bypassctl; empty is none.')
param operatorsGroupId string = ''

@description('Object id of the Entra group that reads everything and changes nothing; empty is none.')
param readersGroupId string = ''

@description('Object ids, with commas between, of identities that may send alerts to the topic.')
param alertSenderPrincipalIds string = ''

@description('Addresses or ranges, with commas between, that may send alerts; empty lets every address try.')
param alertSenderAddresses string = ''

@description('Lets a sender that cannot sign in to Entra use a key of the topic.')
param allowTopicKeys bool = false

@description('Private endpoints for storage; alerts come through a queue.')
param networkIsolation bool = false

@description('With networkIsolation: addresses, with commas between, from which people reach the data account.')
param operatorAddresses string = ''

@description('With networkIsolation: the range of the network, a /24.')
param networkAddressPrefix string = '10.90.0.0/24'

// ---- size and retention ---------------------------------------------------------------------------------------------

@description('Megabytes of an instance of the responder.')
param responderMemory 512 | 2048 | 4096 = 2048

@description('Megabytes of an instance of the Exchange worker.')
param workerMemory 512 | 2048 | 4096 = 2048

@description('So many instances at most for each function of the responder.')
@minValue(1)
@maxValue(20)
param responderMaximumInstances int = 4

@description('Redundancy of the data account.')
param dataRedundancy 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS' = 'Standard_LRS'

@description('Days for which a checkpoint of the response log cannot be changed or deleted.')
@minValue(1)
@maxValue(146000)
param checkpointRetentionDays int = 365

@description('True once you have locked that retention: a template cannot touch it any more, so it leaves it alone.')
param checkpointsLocked bool = false

@description('Days for which log lines are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Keeps who wrote to and deleted from the tables and containers of the data account.')
param keepStorageLogs bool = true

@description('Tags of every resource.')
param tags { *: string } = {}

// ---------------------------------------------------------------------------------------------------------------------

var name = namesOf(environmentName, uniqueString(subscription().id, environmentName, location))
var allTags = union(tags, { 'azd-env-name': environmentName })
var hasVault = !empty(notificationWebhookUrl)

func words(text string) string[] => filter(map(split(text, ','), word => trim(word)), word => !empty(word))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name.resourceGroup
  location: location
  tags: allTags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: name
    retentionDays: logRetentionDays
    email: alertEmail
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    namePrefix: name.alertPrefix
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: monitoring.outputs.actionGroupId
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module responderIdentity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.responder.identity }
}

module workerIdentity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.worker.identity }
}

module responderHost 'modules/storage-host.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.responder.hostAccount, isolated: networkIsolation }
}

module workerHost 'modules/storage-host.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.worker.hostAccount, isolated: networkIsolation }
}

module data 'modules/storage-data.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: name.dataAccount
    redundancy: dataRedundancy
    checkpointDays: checkpointRetentionDays
    locked: checkpointsLocked
    isolated: networkIsolation
    allowedAddresses: networkIsolation ? words(operatorAddresses) : []
    keepLogs: keepStorageLogs
    logWorkspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'modules/topic.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: name.topic
    allowKeys: allowTopicKeys
    senderAddresses: words(alertSenderAddresses)
    logWorkspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = if (hasVault) {
  scope: group
  params: {
    location: location
    tags: allTags
    name: name.vault
    logWorkspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (networkIsolation) {
  scope: group
  params: {
    location: location
    tags: allTags
    name: name.network
    addressPrefix: networkAddressPrefix
    dataAccountId: data.outputs.id
    hostAccountIds: [responderHost.outputs.id, workerHost.outputs.id]
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    name: name
    responder: responderIdentity.outputs.principalId
    worker: workerIdentity.outputs.principalId
    topic: topic.outputs.principalId
    alertsByQueue: networkIsolation
    vaultExists: hasVault
    operators: operatorsGroupId
    readers: readersGroupId == operatorsGroupId ? '' : readersGroupId
    alertSenders: union(words(alertSenderPrincipalIds), [])
  }
  dependsOn: [data, responderHost, workerHost, vault]
}

var webhookSettings = hasVault
  ? {
      NOTIFICATION_WEBHOOK_URL: notificationWebhookUrl
      NOTIFICATION_WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.?outputs.secretUri ?? ''})'
    }
  : {}

module responderApp 'modules/app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    service: 'responder'
    appName: name.responder.app
    planName: name.responder.plan
    insightsName: name.insights
    identityId: responderIdentity.outputs.id
    identityClientId: responderIdentity.outputs.clientId
    runtime: { name: 'python', version: '3.13' }
    memory: responderMemory
    maximumInstances: responderMaximumInstances
    packageUri: responderHost.outputs.packageUri
    hostBlobUri: responderHost.outputs.blobUri
    hostTableUri: responderHost.outputs.tableUri
    subnetId: network.?outputs.responderSubnetId ?? ''
    inbound: !networkIsolation
    settings: {
      ACTOR_RESPONSE: actorResponse
      ALERTS_QUEUE: queues.alerts
      COMMAND_TIMEOUT_SECONDS: string(commandTimeoutSeconds)
      CONTAINMENT_LIMIT_PER_HOUR: string(containmentLimitPerHour)
      EXCHANGE_COMMANDS_QUEUE: queues.commands
      EXCHANGE_RESULTS_QUEUE: queues.results
      EXCHANGE_SWEEPS_QUEUE: queues.sweeps
      EXCHANGE_WORKER_IDS: '${workerIdentity.outputs.principalId},${workerIdentity.outputs.clientId}'
      FEED_SILENCE_HOURS: string(feedSilenceHours)
      GRAPH_URL: graphUrl
      HINT_CHECKS_PER_HOUR: string(hintChecksPerHour)
      MANAGEMENT_API_URL: managementApiUrl
      MODE: mode
      POLL_SCHEDULE: pollSchedule
      PROTECTED_OBJECT_IDS: protectedObjectIds
      PUBLISHER_IDENTIFIER: publisherIdentifier
      PYTHON_ENABLE_OPENTELEMETRY: 'true'
      RESUME_SCHEDULE: resumeSchedule
      ResponderStorage__blobServiceUri: data.outputs.blobUri
      ResponderStorage__clientId: responderIdentity.outputs.clientId
      ResponderStorage__credential: 'managedidentity'
      ResponderStorage__queueServiceUri: data.outputs.queueUri
      ResponderStorage__tableServiceUri: data.outputs.tableUri
      SWEEP_OVERDUE_MINUTES: string(sweepOverdueMinutes)
      SWEEP_SCHEDULE: sweepSchedule
      SWEEP_TIMEOUT_SECONDS: string(sweepTimeoutSeconds)
      TENANT_ID: tenant().tenantId
    }
    optionalSettings: webhookSettings
  }
  dependsOn: [roles]
}

module workerApp 'modules/app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    service: 'exchange-worker'
    appName: name.worker.app
    planName: name.worker.plan
    insightsName: name.insights
    identityId: workerIdentity.outputs.id
    identityClientId: workerIdentity.outputs.clientId
    runtime: { name: 'powershell', version: '7.6' }
    memory: workerMemory
    // For each of its two functions (Azure/azure-rest-api-specs#45083): one command at a time, and a sweep beside it.
    maximumInstances: 1
    packageUri: workerHost.outputs.packageUri
    hostBlobUri: workerHost.outputs.blobUri
    hostTableUri: workerHost.outputs.tableUri
    subnetId: network.?outputs.workerSubnetId ?? ''
    inbound: false // it has no function that is called over HTTP
    settings: {
      EXCHANGE_COMMANDS_QUEUE: queues.commands
      EXCHANGE_ORGANIZATION: exchangeOrganization
      EXCHANGE_RESULTS_QUEUE: queues.results
      EXCHANGE_SWEEPS_QUEUE: queues.sweeps
      PSWorkerInProcConcurrencyUpperBound: '1'
      READ_BACK_SECONDS: string(readBackSeconds)
      RETRY_PAUSE_SECONDS: string(retryPauseSeconds)
      ResponderStorage__blobServiceUri: data.outputs.blobUri
      ResponderStorage__clientId: workerIdentity.outputs.clientId
      ResponderStorage__credential: 'managedidentity'
      ResponderStorage__queueServiceUri: data.outputs.queueUri
      TENANT_ID: tenant().tenantId
    }
    optionalSettings: {}
  }
  dependsOn: [roles]
}

module auth 'modules/auth.bicep' = if (!empty(authClientId)) {
  scope: group
  params: { appName: name.responder.app, clientId: authClientId }
  dependsOn: [responderApp]
}

// ---- what azd keeps in its environment; nothing of it is secret -----------------------------------------------------

output AZURE_RESOURCE_GROUP string = group.name
output TENANT_ID string = tenant().tenantId
output EXCHANGE_ORGANIZATION string = exchangeOrganization
output RESPONDER_APP_NAME string = name.responder.app
output RESPONDER_PRINCIPAL_ID string = responderIdentity.outputs.principalId
output RESPONDER_CLIENT_ID string = responderIdentity.outputs.clientId
output WORKER_APP_NAME string = name.worker.app
output WORKER_PRINCIPAL_ID string = workerIdentity.outputs.principalId
output WORKER_CLIENT_ID string = workerIdentity.outputs.clientId
output DATA_ACCOUNT_NAME string = name.dataAccount
// What bypassctl reads, so that the values of the azd environment are all that it needs.
output ResponderStorage__tableServiceUri string = data.outputs.tableUri
output ResponderStorage__queueServiceUri string = data.outputs.queueUri
output ResponderStorage__blobServiceUri string = data.outputs.blobUri
output EVENT_TOPIC_NAME string = name.topic
output EVENT_TOPIC_ENDPOINT string = topic.outputs.endpoint

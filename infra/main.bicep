// All Azure resources. Two things are separate: `bypassctl grant` grants permissions in Entra and Exchange, and
// events.bicep creates the alert subscription after the app is deployed. See docs/infrastructure.md.
targetScope = 'subscription'

import { namesOf, queues } from 'modules/names.bicep'

// ---- required parameters --------------------------------------------------------------------------------------------

@description('Name of the azd environment; also names the resource group.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region. It must offer Flex Consumption, Python 3.13 and PowerShell 7.6.')
param location string

@description('Initial domain of the tenant, such as contoso.onmicrosoft.com.')
@minLength(3)
param exchangeOrganization string

@description('E-mail address that receives the alert rules\' notifications.')
@minLength(5)
param alertEmail string

// ---- behavior -------------------------------------------------------------------------------------------------------

@description('observe records decisions without changing the tenant; enforce also acts on them.')
param mode 'observe' | 'enforce' = 'observe'

@description('Comma-separated object ids of accounts that are never blocked, or the word none. Required for enforce.')
param protectedObjectIds string = ''

@description('Comma-separated controls that act without approval (block_sign_in, revoke_sessions, disable_bypass), or the word none.')
param automaticControls string = 'block_sign_in,disable_bypass,revoke_sessions'

@description('Maximum automatic blocks per hour; further blocks wait for approval.')
@minValue(0)
@maxValue(1000)
param containmentLimitPerHour int = 5

@description('Response to the actor, the account that ran the cmdlet.')
param actorResponse 'notify' | 'contain' = 'notify'

@description('With required, an allowlist entry counts only after a second person has approved it.')
param allowlistApproval 'off' | 'required' = 'off'

@description('How far ahead an allowlist entry may expire, in days, for all reason classes and for single ones: 180,vendor=90.')
param allowlistLongestDays string = '366'

@description('Days after which an allowlist entry is due for review again.')
@minValue(1)
@maxValue(366)
param allowlistReviewDays int = 90

@description('Hours without a new audit feed blob before a health alert is raised.')
@minValue(1)
@maxValue(168)
param feedSilenceHours int = 6

@description('Who may set a bypass, as evidence about an actor: object ids, application ids or user principal names, comma-separated, or none. Empty: not compared.')
param authorizedActors string = ''

@description('Regular expression of a change ticket, searched in allowlist row and decisions. Empty: the Ticket column as a whole.')
param changeTicketPattern string = ''

@description('Days for which the evidence from other sources is kept.')
@minValue(30)
@maxValue(3650)
param evidenceRetentionDays int = 180

@description('Days for which the counts of who else opened watched mailboxes are kept.')
@minValue(30)
@maxValue(3650)
param accessRetentionDays int = 400

@description('Hours after which people are reminded of an incident that nobody has acknowledged.')
@minValue(1)
@maxValue(168)
param decisionReminderHours int = 4

@description('Maximum Exchange checks per hour that alerts can trigger.')
@minValue(0)
@maxValue(1000)
param hintChecksPerHour int = 60

@description('Minutes since the last complete sweep before a health alert is raised.')
@minValue(1)
@maxValue(10080)
param sweepOverdueMinutes int = 60

@description('Seconds to wait for a sweep before requesting another.')
@minValue(5)
@maxValue(86400)
param sweepTimeoutSeconds int = 4200

@description('Seconds to wait for the Exchange worker to answer a command before sending it again.')
@minValue(5)
@maxValue(3600)
param commandTimeoutSeconds int = 660

@description('Seconds for which the Exchange worker reads a change back to verify it.')
@minValue(0)
@maxValue(120)
param readBackSeconds int = 10

@description('Seconds before the Exchange worker\'s first retry of a transient error; doubles with each retry.')
@minValue(0)
@maxValue(60)
param retryPauseSeconds int = 2

@description('Schedule of audit feed polls: NCRONTAB, six fields, UTC.')
param pollSchedule string = '0 * * * * *'

@description('Schedule of the hunting sensor, which reads Microsoft Defender: NCRONTAB, six fields, UTC.')
param huntingSchedule string = '15 */5 * * * *'

@description('Schedule of the scheduler, which runs all due work: NCRONTAB, six fields, UTC.')
param resumeSchedule string = '30 * * * * *'

@description('Schedule of sweeps, which read the bypass state of all accounts: NCRONTAB, six fields, UTC.')
param sweepSchedule string = '0 */15 * * * *'

@description('Schedule of the evidence run, which asks other sources about each incident: NCRONTAB, six fields, UTC.')
param evidenceSchedule string = '15 */5 * * * *'

@description('Schedule that begins the daily read of all mailboxes and continues it: NCRONTAB, six fields, UTC.')
param postureSchedule string = '0 */10 * * * *'

@description('Maximum mailboxes that plans change within any 60 minutes; 0 changes none.')
@minValue(0)
@maxValue(1000)
param postureChangesPerHour int = 200

// ---- endpoints ------------------------------------------------------------------------------------------------------

@description('Microsoft Graph endpoint.')
param graphUrl string = 'https://graph.microsoft.com'

@description('Audit feed endpoint. GCC, GCC High and DoD use different addresses.')
param managementApiUrl string = 'https://manage.office.com'

@description('Tenant id whose audit feed quota is used. Empty: the shared quota.')
param publisherIdentifier string = ''

@description('HTTPS address that receives notifications, signed. Empty: no webhook. Setting it creates a vault for the signing secret.')
param notificationWebhookUrl string = ''

@description('Lowest severity of the notifications that the webhook gets.')
param notificationWebhookMinimum 'info' | 'warning' | 'critical' | 'emergency' = 'info'

@description('Creates a vault for the list of further receivers, which a person stores there as notification-receivers.')
param notificationReceiversInVault bool = false

@description('Address of the runbook, for links in notifications. Empty: the path in the repository.')
param runbookUrl string = ''

@description('Comma-separated object ids or user principal names of mailboxes that come first in a posture report, and whose access by others is counted.')
param watchedMailboxes string = ''

// ---- inbound access -------------------------------------------------------------------------------------------------

@description('Application id of the app registration that callers of the app sign in to. Empty: App Service authentication is off.')
param authClientId string = ''

@description('Deploys the console, a function app with pages and an API. Needs consoleClientId.')
param deployConsole bool = false

@description('Application id of the app registration that people sign in to for the console.')
param consoleClientId string = ''

@description('Address of the console, if not its default one. The responder checks hourly that it answers no stranger.')
param consoleUrl string = ''

@description('Comma-separated application ids of programs that may call the API of the console, besides their app roles.')
param consoleCallerIds string = ''

@description('Object id of the Entra group that edits the allowlist and makes decisions with bypassctl. Empty: no group.')
param operatorsGroupId string = ''

@description('Object id of the Entra group with read-only access. Empty: no group.')
param readersGroupId string = ''

@description('Comma-separated object ids of identities that may send alerts to the topic.')
param alertSenderPrincipalIds string = ''

@description('Comma-separated IP addresses or ranges that may send alerts. Empty: any address; authentication is still required.')
param alertSenderAddresses string = ''

@description('Allows senders that cannot sign in to Entra to use a topic key.')
param allowTopicKeys bool = false

@description('Uses private endpoints for storage; alerts then arrive through a queue.')
param networkIsolation bool = false

@description('Delivers alerts through a queue: auto with networkIsolation, always, or never. Never with networkIsolation: no alerts from the topic, and nothing public reaches the data account, except operatorAddresses.')
param alertsByQueue 'auto' | 'always' | 'never' = 'auto'

@description('Comma-separated IP addresses or ranges that may deploy code. Empty: any address; authentication is still required.')
param deployAddresses string = ''

@description('With networkIsolation: comma-separated IP addresses from which people can reach the data account.')
param operatorAddresses string = ''

@description('With networkIsolation: address range of the virtual network, a /24.')
param networkAddressPrefix string = '10.90.0.0/24'

// ---- size and retention ---------------------------------------------------------------------------------------------

@description('Memory of a responder instance, in MB.')
param responderMemory 512 | 2048 | 4096 = 2048

@description('Memory of an Exchange worker instance, in MB.')
param workerMemory 512 | 2048 | 4096 = 2048

@description('Maximum instances of the responder, if they are shared by its functions; otherwise of each function.')
@minValue(20)
@maxValue(40)
param responderMaximumInstances int = 20

@description('Storage redundancy of the data account.')
param dataRedundancy 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS' = 'Standard_LRS'

@description('Days for which a checkpoint of the response log cannot be changed or deleted.')
@minValue(1)
@maxValue(146000)
param checkpointRetentionDays int = 365

@description('Set to true after locking that retention; the template then no longer manages it.')
param checkpointsLocked bool = false

@description('Days for which log lines are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Logs writes to and deletions from the tables and containers of the data account.')
param keepStorageLogs bool = true

// ---- policies of the organization -----------------------------------------------------------------------------------

@description('Protects the vault from being purged. Cannot be undone.')
param purgeProtection bool = false

@description('Protects the data account and the log workspace from deletion with a lock.')
param locks bool = false

@description('Notifies alertEmail when an app is stopped, or its settings or role assignments in the group change. Every deployment triggers it as well.')
param activityAlerts bool = false

@description('Suffix of the names of both apps, at most 4 letters and digits, to replace them. See the runbook.')
@maxLength(4)
param nameSuffix string = ''

@description('Tags applied to every resource.')
param tags { *: string } = {}

// ---------------------------------------------------------------------------------------------------------------------

var name = namesOf(environmentName, uniqueString(subscription().id, environmentName, location), nameSuffix)
var allTags = union(tags, { 'azd-env-name': environmentName })
var hasVault = !empty(notificationWebhookUrl) || notificationReceiversInVault
var alertsTo = alertsByQueue == 'always' || (alertsByQueue == 'auto' && networkIsolation)
  ? 'queue'
  : networkIsolation ? 'none' : 'function'

func words(text string) string[] => filter(map(split(text, ','), word => trim(word)), word => !empty(word))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
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
    lock: locks
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

module activity 'modules/activity.bicep' = if (activityAlerts) {
  scope: group
  params: { tags: allTags, namePrefix: name.alertPrefix, actionGroupId: monitoring.outputs.actionGroupId }
  dependsOn: [roles, responderApp, workerApp, consoleApp] // last, so that the first deployment does not fire them
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

module consoleIdentity 'modules/identity.bicep' = if (deployConsole) {
  scope: group
  params: { location: location, tags: allTags, name: name.console.identity }
}

module responderHost 'modules/storage-host.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.responder.hostAccount, isolated: networkIsolation }
}

module workerHost 'modules/storage-host.bicep' = {
  scope: group
  params: { location: location, tags: allTags, name: name.worker.hostAccount, isolated: networkIsolation }
}

module consoleHost 'modules/storage-host.bicep' = if (deployConsole) {
  scope: group
  params: { location: location, tags: allTags, name: name.console.hostAccount, isolated: networkIsolation }
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
    closed: alertsTo == 'none'
    lock: locks
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
    purgeProtection: purgeProtection
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
    hostAccountIds: concat(
      [responderHost.outputs.id, workerHost.outputs.id],
      deployConsole ? [consoleHost!.outputs.id] : []
    )
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    name: name
    responder: responderIdentity.outputs.principalId
    worker: workerIdentity.outputs.principalId
    console: consoleIdentity.?outputs.principalId ?? ''
    consoleExists: deployConsole
    topic: topic.outputs.principalId
    alertsByQueue: alertsTo == 'queue'
    vaultExists: hasVault
    operators: operatorsGroupId
    readers: readersGroupId == operatorsGroupId ? '' : readersGroupId
    alertSenders: union(words(alertSenderPrincipalIds), [])
  }
  dependsOn: [data, responderHost, workerHost, consoleHost, vault]
}

var webhookSettings = empty(notificationWebhookUrl)
  ? {}
  : {
      NOTIFICATION_WEBHOOK_URL: notificationWebhookUrl
      NOTIFICATION_WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.?outputs.webhookSecretUri ?? ''})'
    }
var receiverSettings = notificationReceiversInVault
  ? { NOTIFICATION_RECEIVERS: '@Microsoft.KeyVault(SecretUri=${vault.?outputs.receiversSecretUri ?? ''})' }
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
    deployAddresses: words(deployAddresses)
    settings: {
      ACCESS_RETENTION_DAYS: string(accessRetentionDays)
      ACTOR_RESPONSE: actorResponse
      ALERTS_QUEUE: queues.alerts
      ALLOWLIST_APPROVAL: allowlistApproval
      ALLOWLIST_LONGEST_DAYS: allowlistLongestDays
      ALLOWLIST_REVIEW_DAYS: string(allowlistReviewDays)
      AUTHORIZED_ACTORS: authorizedActors
      AUTOMATIC_CONTROLS: automaticControls
      CHANGE_TICKET_PATTERN: changeTicketPattern
      COMMAND_TIMEOUT_SECONDS: string(commandTimeoutSeconds)
      CONSOLE_URL: empty(consoleUrl) && deployConsole ? 'https://${name.console.app}.azurewebsites.net' : consoleUrl
      CONTAINMENT_LIMIT_PER_HOUR: string(containmentLimitPerHour)
      DECISIONS_CONSOLE_QUEUE: queues.consoleDecisions
      DECISIONS_QUEUE: queues.decisions
      DECISION_REMINDER_HOURS: string(decisionReminderHours)
      EVIDENCE_RETENTION_DAYS: string(evidenceRetentionDays)
      EVIDENCE_SCHEDULE: evidenceSchedule
      EXCHANGE_CHECKS_QUEUE: queues.checks
      EXCHANGE_COMMANDS_QUEUE: queues.commands
      EXCHANGE_READS_QUEUE: queues.reads
      EXCHANGE_READ_RESULTS_QUEUE: queues.readResults
      EXCHANGE_RESULTS_QUEUE: queues.results
      EXCHANGE_SWEEPS_QUEUE: queues.sweeps
      EXCHANGE_WORKER_IDS: '${workerIdentity.outputs.principalId},${workerIdentity.outputs.clientId}'
      FEED_SILENCE_HOURS: string(feedSilenceHours)
      GRAPH_URL: graphUrl
      HINT_CHECKS_PER_HOUR: string(hintChecksPerHour)
      HUNTING_SCHEDULE: huntingSchedule
      MANAGEMENT_API_URL: managementApiUrl
      MODE: mode
      NOTIFICATIONS_QUEUE: queues.notifications
      NOTIFICATION_WEBHOOK_MINIMUM: notificationWebhookMinimum
      POLL_SCHEDULE: pollSchedule
      POSTURE_SCHEDULE: postureSchedule
      POSTURE_CHANGES_PER_HOUR: string(postureChangesPerHour)
      PROTECTED_OBJECT_IDS: protectedObjectIds
      PUBLISHER_IDENTIFIER: publisherIdentifier
      PYTHON_ENABLE_OPENTELEMETRY: 'true'
      RESUME_SCHEDULE: resumeSchedule
      RUNBOOK_URL: runbookUrl
      ResponderStorage__blobServiceUri: data.outputs.blobUri
      ResponderStorage__clientId: responderIdentity.outputs.clientId
      ResponderStorage__credential: 'managedidentity'
      ResponderStorage__queueServiceUri: data.outputs.queueUri
      ResponderStorage__tableServiceUri: data.outputs.tableUri
      SWEEP_OVERDUE_MINUTES: string(sweepOverdueMinutes)
      SWEEP_SCHEDULE: sweepSchedule
      SWEEP_TIMEOUT_SECONDS: string(sweepTimeoutSeconds)
      TENANT_ID: tenant().tenantId
      WATCHED_MAILBOXES: watchedMailboxes
    }
    optionalSettings: union(webhookSettings, receiverSettings)
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
    // For each function (Azure/azure-rest-api-specs#45083) or for all together (Azure/azure-functions-host#10523): with
    // one, a sweep of an hour might hold up every command. Two commands at once do no harm: each can be repeated.
    maximumInstances: 4
    packageUri: workerHost.outputs.packageUri
    hostBlobUri: workerHost.outputs.blobUri
    hostTableUri: workerHost.outputs.tableUri
    subnetId: network.?outputs.workerSubnetId ?? ''
    inbound: false // it has no HTTP function
    deployAddresses: words(deployAddresses)
    settings: {
      EXCHANGE_CHECKS_QUEUE: queues.checks
      EXCHANGE_COMMANDS_QUEUE: queues.commands
      EXCHANGE_ORGANIZATION: exchangeOrganization
      EXCHANGE_READS_QUEUE: queues.reads
      EXCHANGE_READ_RESULTS_QUEUE: queues.readResults
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
  params: {
    appName: name.responder.app
    clientId: authClientId
    allowedApplications: [authClientId]
    unauthenticated: 'Return401'
    // Event Grid calls EventGrid (Azure/Azure-Functions#1007); whether the comparison ignores case is not documented.
    excludedPaths: ['/runtime/webhooks/eventgrid', '/runtime/webhooks/EventGrid', '/api/health']
  }
  dependsOn: [responderApp]
}

module consoleApp 'modules/app.bicep' = if (deployConsole) {
  scope: group
  params: {
    location: location
    tags: allTags
    service: 'console'
    appName: name.console.app
    planName: name.console.plan
    insightsName: name.insights
    identityId: consoleIdentity!.outputs.id
    identityClientId: consoleIdentity!.outputs.clientId
    runtime: { name: 'python', version: '3.13' }
    memory: responderMemory
    maximumInstances: 3
    packageUri: consoleHost!.outputs.packageUri
    hostBlobUri: consoleHost!.outputs.blobUri
    hostTableUri: consoleHost!.outputs.tableUri
    subnetId: network.?outputs.consoleSubnetId ?? ''
    inbound: true // people come from anywhere, and sign in to Entra
    deployAddresses: words(deployAddresses)
    settings: {
      ALLOWLIST_APPROVAL: allowlistApproval
      ALLOWLIST_LONGEST_DAYS: allowlistLongestDays
      ALLOWLIST_REVIEW_DAYS: string(allowlistReviewDays)
      AUTOMATIC_CONTROLS: automaticControls
      DECISIONS_CONSOLE_QUEUE: queues.consoleDecisions
      PYTHON_ENABLE_OPENTELEMETRY: 'true'
      ResponderStorage__blobServiceUri: data.outputs.blobUri
      ResponderStorage__queueServiceUri: data.outputs.queueUri
      ResponderStorage__tableServiceUri: data.outputs.tableUri
      SWEEP_OVERDUE_MINUTES: string(sweepOverdueMinutes)
      TENANT_ID: tenant().tenantId
    }
    optionalSettings: {}
  }
  dependsOn: [roles]
}

// The redirect leads people to the sign-in and back to the page. /welcome is where a sign-out ends. Not "/": whether a
// path excludes all below it is not documented.
module consoleAuth 'modules/auth.bicep' = if (deployConsole) {
  scope: group
  params: {
    appName: name.console.app
    clientId: empty(consoleClientId)
      ? fail('deployConsole needs consoleClientId (CONSOLE_CLIENT_ID).')
      : consoleClientId
    allowedApplications: union([consoleClientId], words(consoleCallerIds))
    unauthenticated: 'RedirectToLoginPage'
    excludedPaths: ['/welcome', '/static/console.css', '/static/console.js', '/static/icon.svg']
  }
  dependsOn: [consoleApp]
}

// ---- outputs: azd stores them in its environment; none is secret -----------------------------------------------------

output AZURE_RESOURCE_GROUP string = group.name
output TENANT_ID string = tenant().tenantId
output EXCHANGE_ORGANIZATION string = exchangeOrganization
output RESPONDER_APP_NAME string = name.responder.app
output RESPONDER_PRINCIPAL_ID string = responderIdentity.outputs.principalId
output RESPONDER_CLIENT_ID string = responderIdentity.outputs.clientId
output WORKER_APP_NAME string = name.worker.app
output WORKER_PRINCIPAL_ID string = workerIdentity.outputs.principalId
output WORKER_CLIENT_ID string = workerIdentity.outputs.clientId
output CONSOLE_APP_NAME string = deployConsole ? name.console.app : ''
output CONSOLE_PRINCIPAL_ID string = consoleIdentity.?outputs.principalId ?? ''
output DATA_ACCOUNT_NAME string = name.dataAccount
// Read by bypassctl, so that it needs only the values of the azd environment.
output ResponderStorage__tableServiceUri string = data.outputs.tableUri
output ResponderStorage__queueServiceUri string = data.outputs.queueUri
output ResponderStorage__blobServiceUri string = data.outputs.blobUri
output EVENT_TOPIC_NAME string = name.topic
output ALERTS_TO string = alertsTo
output EVENT_TOPIC_ENDPOINT string = topic.outputs.endpoint

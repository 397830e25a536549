// The single source of all names: of the resources, and of the tables, queues and containers that the apps expect.

@export()
@description('Names of the resources. The token makes globally scoped names unique.')
type names = {
  resourceGroup: string
  responder: appNames
  worker: appNames
  console: appNames
  dataAccount: string
  topic: string
  workspace: string
  insights: string
  actionGroup: string
  vault: string
  network: string
  alertPrefix: string
}

type appNames = {
  app: string
  plan: string
  identity: string
  hostAccount: string
}

@export()
func namesOf(environmentName string, token string, suffix string) names => {
  resourceGroup: 'rg-${environmentName}'
  responder: {
    app: 'func-bypass-resp${suffix}-${token}' // the host's id is the first 32 characters
    plan: 'plan-bypass-responder${suffix}'
    identity: 'id-bypass-responder'
    hostAccount: 'sthostresp${token}'
  }
  worker: {
    app: 'func-bypass-exch${suffix}-${token}'
    plan: 'plan-bypass-exchange${suffix}'
    identity: 'id-bypass-exchange'
    hostAccount: 'sthostexch${token}'
  }
  console: {
    app: 'func-bypass-cons${suffix}-${token}'
    plan: 'plan-bypass-console${suffix}'
    identity: 'id-bypass-console'
    hostAccount: 'sthostcons${token}'
  }
  dataAccount: 'stbypass${token}'
  topic: 'evgt-bypass-${token}'
  workspace: 'log-bypass-responder'
  insights: 'appi-bypass-responder'
  actionGroup: 'ag-bypass-responder'
  vault: 'kv-bypass-${token}'
  network: 'vnet-bypass-responder'
  alertPrefix: 'bypass'
}

@export()
var tables = ['Allowlist', 'Ledger', 'Work', 'CaseIndex', 'Feed', 'Checkpoints', 'Evidence']

@export()
var queues = {
  alerts: 'alerts'
  decisions: 'decisions'
  notifications: 'notifications'
  consoleDecisions: 'decisions-console'
  commands: 'exchange-commands'
  checks: 'exchange-checks'
  sweeps: 'exchange-sweeps'
  reads: 'exchange-reads'
  results: 'exchange-results'
  readResults: 'exchange-read-results'
}

@export()
@description('Queue to which the host moves a message that failed five times.')
func poison(queue string) string => '${queue}-poison'

@export()
var containers = {
  evidence: 'evidence'
  checkpoints: 'log-checkpoints'
  sweeps: 'sweeps'
  reads: 'reads'
  changes: 'changes'
  plans: 'plans'
  deadLetters: 'dead-letters'
}

@export()
@description('Container in each host account that holds the deployment package.')
var packageContainer = 'app-package'

@export()
@description('Name of the vault secret that signs notifications.')
var webhookSecret = 'notification-webhook-secret'

@export()
@description('Name of the vault secret that lists further receivers of notifications.')
var receiversSecret = 'notification-receivers'

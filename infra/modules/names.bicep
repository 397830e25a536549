// Every name, derived once: of what is made here, and of what the two apps expect to find in the data account.

@export()
@description('Names of the resources. The token makes those unique that share a namespace with all of Azure.')
type names = {
  resourceGroup: string
  responder: appNames
  worker: appNames
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
func namesOf(environmentName string, token string) names => {
  resourceGroup: 'rg-${environmentName}'
  responder: {
    app: 'func-bypass-resp-${token}'
    plan: 'plan-bypass-responder'
    identity: 'id-bypass-responder'
    hostAccount: 'sthostresp${token}'
  }
  worker: {
    app: 'func-bypass-exch-${token}'
    plan: 'plan-bypass-exchange'
    identity: 'id-bypass-exchange'
    hostAccount: 'sthostexch${token}'
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
var tables = ['Allowlist', 'Ledger', 'Work', 'CaseIndex', 'Feed', 'Checkpoints']

@export()
var queues = {
  alerts: 'alerts'
  commands: 'exchange-commands'
  sweeps: 'exchange-sweeps'
  results: 'exchange-results'
}

@export()
@description('The host puts a message that failed five times into the queue of this name.')
func poison(queue string) string => '${queue}-poison'

@export()
var containers = {
  evidence: 'evidence'
  checkpoints: 'log-checkpoints'
  sweeps: 'sweeps'
  deadLetters: 'dead-letters'
}

@export()
@description('In each host account: where the platform keeps the package of the app.')
var packageContainer = 'app-package'

@export()
@description('In the vault: what signs the notifications.')
var webhookSecret = 'notification-webhook-secret'

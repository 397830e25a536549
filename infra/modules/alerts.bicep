// Alert rules over what the apps log. docs/telemetry.md has the table of them; infra/checks holds each to its query.
//
// Cost: a rule costs by its frequency, so only what cannot wait is looked at every 5 minutes. The window is longer than
// the frequency, because lines arrive some minutes late. A rule that is fired already for the same incident or alert
// stays silent; it resolves by itself when there is nothing new in the window, which says nothing about the incident.

@description('Region of the rules: that of the workspace.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Beginning of the names of the rules.')
param namePrefix string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the action group that is told.')
param actionGroupId string

@description('Where the runbook can be read; a rule names the section.')
param runbookUrl string = 'docs/runbook.md'

type rule = {
  name: string
  query: string

  @description('What happened, in one sentence.')
  says: string

  @description('Section of docs/runbook.md.')
  runbook: string

  severity: 0 | 1 | 2 | 3
  frequency: 'PT5M' | 'PT15M'
  window: 'PT15M' | 'PT30M' | 'P1D'

  @description('Columns of the query: one alert for each combination of their values.')
  dimensions: string[]

  @description('Fires when there are fewer rows than one, instead of any.')
  absence: bool?

  @description('How far back the query looks, where that is further than the window.')
  lookBack: 'P2D'?
}

var rules rule[] = [
  {
    name: 'contained'
    query: loadTextContent('../queries/contained.kql')
    says: 'An account was contained, or its bypass is being switched off.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'held'
    query: loadTextContent('../queries/held.kql')
    says: 'Something waits for a person, or was only observed.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'step-failed'
    query: loadTextContent('../queries/step_failed.kql')
    says: 'A step of a response failed, or did not do what it should.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'undecided'
    query: loadTextContent('../queries/undecided.kql')
    says: 'A finding could not be decided for 15 minutes, so nobody is contained for it.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'target']
  }
  {
    name: 'tampering'
    query: loadTextContent('../queries/tampering.kql')
    says: 'Somebody weakened auditing, tried to, or does it again.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'feed'
    query: loadTextContent('../queries/feed.kql')
    says: 'The audit feed is silent, stopped, failing, or lost something.'
    runbook: 'health-alerts'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'sweep'
    query: loadTextContent('../queries/sweep.kql')
    says: 'The sweep is overdue, incomplete or without answer.'
    runbook: 'health-alerts'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'worker'
    query: loadTextContent('../queries/worker.kql')
    says: 'The Exchange worker does not answer, may not, or cannot: no bypass is switched off.'
    runbook: 'health-alerts'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'worker-exceptions'
    query: loadTextContent('../queries/worker_exceptions.kql')
    says: 'Runs of the Exchange worker fail, so it cannot even answer.'
    runbook: 'when-no-notifications-arrive'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what']
  }
  {
    name: 'right-lost'
    query: loadTextContent('../queries/right_lost.kql')
    says: 'A right is missing. One that worked before was taken away: an attacker would.'
    runbook: 'health-alerts'
    severity: 0
    frequency: 'PT5M'
    window: 'PT15M'
    dimensions: ['alert']
  }
  {
    name: 'storage-changed'
    query: loadTextContent('../queries/storage_changed.kql')
    says: 'Rows in storage cannot be read: somebody changed them by hand.'
    runbook: 'the-log-is-broken'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'log-rewritten'
    query: loadTextContent('../queries/log_rewritten.kql')
    says: 'The response log was written anew: a number in a chain has two hashes.'
    runbook: 'the-log-is-broken'
    severity: 0
    frequency: 'PT15M'
    window: 'P1D'
    lookBack: 'P2D'
    dimensions: ['chain']
  }
  {
    name: 'input'
    query: loadTextContent('../queries/input.kql')
    says: 'Messages or records could not be read or taken, or too many alerts came.'
    runbook: 'health-alerts'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'responder-silent'
    query: loadTextContent('../queries/responder_silent.kql')
    says: 'The scheduler did not run for 15 minutes: nothing is decided, and no other rule can fire.'
    runbook: 'when-no-notifications-arrive'
    severity: 0
    frequency: 'PT5M'
    window: 'PT15M'
    dimensions: []
    absence: true
  }
  {
    name: 'responder-failing'
    query: loadTextContent('../queries/responder_failing.kql')
    says: 'Runs fail again and again: a setting is wrong, or a right to storage is missing.'
    runbook: 'when-no-notifications-arrive'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'error_class']
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for each in rules: {
    name: '${namePrefix}-${each.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Bypass responder: ${each.name}'
      description: '${each.says} What to do: ${runbookUrl}#${each.runbook}'
      severity: each.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: each.frequency
      windowSize: each.window
      overrideQueryTimeRange: each.?lookBack
      autoMitigate: true
      skipQueryValidation: true // a fresh workspace has no table yet
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: (each.?absence ?? false) ? 'LessThan' : 'GreaterThan'
            threshold: (each.?absence ?? false) ? 1 : 0
            dimensions: [for name in each.dimensions: { name: name, operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [actionGroupId] }
    }
  }
]

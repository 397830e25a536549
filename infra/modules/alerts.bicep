// Alert rules over the apps' logs. docs/telemetry.md lists them; infra/checks verifies each against its query.
//
// Cost depends on frequency, so only urgent rules run every 5 minutes. The window is longer than the frequency because
// log lines arrive some minutes late. A rule that has fired for an incident or health alert does not fire again for it.
// It resolves automatically when the window has no new lines; that does not mean that the incident is resolved.

@description('Region of the rules; must be the region of the workspace.')
param location string

@description('Tags applied to every resource.')
param tags { *: string }

@description('Prefix of the rule names.')
param namePrefix string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the action group to notify.')
param actionGroupId string

@description('Path or URL of the runbook; each rule adds a section.')
param runbookUrl string = 'docs/runbook.md'

type rule = {
  name: string
  query: string

  @description('What happened, in one sentence.')
  summary: string

  @description('Section of docs/runbook.md.')
  runbook: string

  severity: 0 | 1 | 2 | 3
  frequency: 'PT5M' | 'PT15M'
  window: 'PT15M' | 'PT30M' | 'P1D'

  @description('Columns of the query; each combination of values is one alert.')
  dimensions: string[]

  @description('Fires when the query returns no rows, instead of when it returns any.')
  absence: bool?

  @description('Time range of the query, if longer than the window.')
  lookBack: 'P2D'?
}

var rules rule[] = [
  {
    name: 'contained'
    query: loadTextContent('../queries/contained.kql')
    summary: 'An account was contained, or its bypass is being removed.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'held'
    query: loadTextContent('../queries/held.kql')
    summary: 'A decision is required, or a bypass was observed without a response.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'step-failed'
    query: loadTextContent('../queries/step_failed.kql')
    summary: 'A response step failed or had no effect.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'incident_id', 'target']
  }
  {
    name: 'undecided'
    query: loadTextContent('../queries/undecided.kql')
    summary: 'A finding has been undecided for 15 minutes, so no account is contained for it.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['about', 'target']
  }
  {
    name: 'tampering'
    query: loadTextContent('../queries/tampering.kql')
    summary: 'Auditing was weakened, an attempt was made, or a bypass keeps returning.'
    runbook: 'notifications'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'feed'
    query: loadTextContent('../queries/feed.kql')
    summary: 'The audit feed is silent, stopped or failing, or has a gap.'
    runbook: 'health-alerts'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'sweep'
    query: loadTextContent('../queries/sweep.kql')
    summary: 'The sweep is overdue, incomplete or unanswered.'
    runbook: 'health-alerts'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'worker'
    query: loadTextContent('../queries/worker.kql')
    summary: 'The Exchange worker is silent, failing or missing a permission: bypasses are not removed.'
    runbook: 'health-alerts'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'worker-exceptions'
    query: loadTextContent('../queries/worker_exceptions.kql')
    summary: 'Exchange worker invocations fail before they can answer.'
    runbook: 'when-no-notifications-arrive'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what']
  }
  {
    name: 'right-lost'
    query: loadTextContent('../queries/right_lost.kql')
    summary: 'A permission is missing, or the console answers strangers. An attacker may have removed or opened it.'
    runbook: 'health-alerts'
    severity: 0
    frequency: 'PT5M'
    window: 'PT15M'
    dimensions: ['alert']
  }
  {
    name: 'storage-changed'
    query: loadTextContent('../queries/storage_changed.kql')
    summary: 'Rows in storage are unreadable: they were changed outside the responder.'
    runbook: 'the-log-is-broken'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['alert']
  }
  {
    name: 'log-rewritten'
    query: loadTextContent('../queries/log_rewritten.kql')
    summary: 'The response log was rewritten: its hash chain has conflicting entries.'
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
    summary: 'Messages or records could not be read or processed, or too many alerts arrived.'
    runbook: 'health-alerts'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'target']
  }
  {
    name: 'responder-silent'
    query: loadTextContent('../queries/responder_silent.kql')
    summary: 'The scheduler has not run for 15 minutes: no finding is decided, and other rules may not fire.'
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
    summary: 'Invocations fail repeatedly: a setting is wrong, or a storage permission is missing.'
    runbook: 'when-no-notifications-arrive'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    dimensions: ['what', 'error_class']
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for each in rules: {
    name: '${namePrefix}-${each.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Bypass responder: ${each.name}'
      description: '${each.summary} What to do: ${runbookUrl}#${each.runbook}'
      severity: each.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: each.frequency
      windowSize: each.window
      overrideQueryTimeRange: each.?lookBack
      autoMitigate: true
      skipQueryValidation: true // a new workspace has no tables yet
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

// The detection pack as analytics rules of Microsoft Sentinel. docs/detections.md says how to deploy it.
//
// OfficeActivity is filled late. A rule reads what was ingested since its last run, whenever it happened in the last day.

@description('Workspace with Microsoft Sentinel and the Microsoft 365 connector, in this resource group.')
param workspaceName string

@description('Create the rules enabled.')
param enabled bool = true

var queries = {
  action_lists: loadTextContent('action_lists.kql')
  bypass: loadTextContent('bypass.kql')
  organization_off: loadTextContent('organization_off.kql')
  unified_log_off: loadTextContent('unified_log_off.kql')
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource analyticsRules 'Microsoft.SecurityInsights/alertRules@2024-09-01' = [
  for rule in items(loadJsonContent('rules.json')): {
    name: rule.value.id
    scope: workspace
    kind: 'Scheduled'
    properties: {
      displayName: rule.value.displayName
      description: rule.value.description
      severity: rule.value.severity
      enabled: enabled
      query: replace(queries[rule.key], 'OfficeActivity\n', 'OfficeActivity\n| where ingestion_time() > ago(5m)\n')
      queryFrequency: 'PT5M'
      queryPeriod: 'P1D'
      triggerOperator: 'GreaterThan'
      triggerThreshold: 0
      suppressionEnabled: false
      suppressionDuration: 'PT5H'
      eventGroupingSettings: { aggregationKind: 'AlertPerResult' }
      tactics: rule.value.tactics
      techniques: rule.value.techniques
      entityMappings: rule.value.entityMappings
      customDetails: rule.value.customDetails
    }
  }
]

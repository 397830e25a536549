// Log workspace, Application Insights, and the action group that is notified.

import { names } from 'names.bicep'

param location string
param tags { *: string }
param name names

@description('Days for which log lines are kept.')
param retentionDays int

@description('E-mail address to notify.')
param email string

@description('Whether a lock protects the workspace from deletion.')
param lock bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: name.workspace
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource kept 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: workspace
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'The log lines of the bypass responder.' }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name.insights
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true // makes the connection string an address, not a secret
    SamplingPercentage: 100
  }
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name.actionGroup
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'bypass'
    emailReceivers: [{ name: 'security team', emailAddress: email, useCommonAlertSchema: true }]
  }
}

output workspaceId string = workspace.id
output actionGroupId string = actionGroup.id

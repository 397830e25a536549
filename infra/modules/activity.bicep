// Alert rules over the activity log of the resource group: an app was stopped, or settings or roles were changed.

param tags { *: string }

@description('Prefix of the rule names.')
param namePrefix string

@description('Resource id of the action group to notify.')
param actionGroupId string

var rules = [
  {
    name: 'settings-changed'
    operation: 'Microsoft.Web/sites/config/write'
    what: 'The settings of an app were changed.'
  }
  { name: 'app-changed', operation: 'Microsoft.Web/sites/write', what: 'An app was changed.' }
  { name: 'app-stopped', operation: 'Microsoft.Web/sites/stop/action', what: 'An app was stopped.' }
  { name: 'app-deleted', operation: 'Microsoft.Web/sites/delete', what: 'An app was deleted.' }
  {
    name: 'role-assigned'
    operation: 'Microsoft.Authorization/roleAssignments/write'
    what: 'A role was assigned in the resource group of the responder.'
  }
  {
    name: 'role-removed'
    operation: 'Microsoft.Authorization/roleAssignments/delete'
    what: 'A role assignment was removed in the resource group of the responder.'
  }
]

resource alerts 'Microsoft.Insights/activityLogAlerts@2020-10-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      enabled: true
      description: '${rule.what} If it was no deployment of yours, treat it as an attack on the responder.'
      scopes: [resourceGroup().id]
      condition: {
        allOf: [
          { field: 'category', equals: 'Administrative' }
          { field: 'operationName', equals: rule.operation }
          { field: 'status', equals: 'Succeeded' }
        ]
      }
      actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
    }
  }
]

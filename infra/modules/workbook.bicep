// The workbook for the engineer on call, based on the same log lines as the alert rules.

@description('Region of the workbook; must be the region of the workspace.')
param location string

@description('Tags applied to every resource.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace to query.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'bypass-responder')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Mailbox audit bypass responder'
    category: 'workbook'
    serializedData: loadTextContent('../workbook.json')
    sourceId: workspaceId
    version: '1.0'
  }
}

// The page for whoever is on call, over the same lines as the alert rules.

@description('Region of the workbook: that of the workspace.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace that it reads.')
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

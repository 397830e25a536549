// Holds the one secret that there is, which signs notifications. A person puts it in; no template ever sees it.

import { webhookSecret } from 'names.bicep'

param location string
param tags { *: string }
param name string

@description('Resource id of the workspace that keeps who read the secret.')
param logWorkspaceId string

// Without purge protection, so that the name is free again after `azd down --purge`: whoever deletes the vault deletes
// a secret that can be made anew in a minute. No firewall, because the person who puts it in comes from anywhere.
resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
  }
}

#disable-next-line use-recent-api-versions // the newest that is no preview cannot send to a workspace by category
resource reads 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: logWorkspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

output secretUri string = '${vault.properties.vaultUri}secrets/${webhookSecret}'

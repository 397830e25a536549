// Holds what notifications need: the signing secret and the list of receivers. A person adds them, no template reads them.

import { receiversSecret, webhookSecret } from 'names.bicep'

param location string
param tags { *: string }
param name string

@description('Protects the vault from being purged. Cannot be undone.')
param purgeProtection bool

@description('Resource id of the workspace that logs access to the secret.')
param logWorkspaceId string

// No purge protection by default, so that `azd down --purge` releases the name; the secret is easy to regenerate. No
// firewall, because the person who adds the secret may connect from any address.
resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: purgeProtection ? true : null // Azure refuses false
    publicNetworkAccess: 'Enabled'
  }
}

resource reads 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: logWorkspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

output webhookSecretUri string = '${vault.properties.vaultUri}secrets/${webhookSecret}'
output receiversSecretUri string = '${vault.properties.vaultUri}secrets/${receiversSecret}'

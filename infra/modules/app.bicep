// A Flex Consumption plan and its single app. Used for the responder, the Exchange worker and the console.

param location string
param tags { *: string }

@description('Name of the service in azure.yaml.')
param service string
param appName string
param planName string
param insightsName string

param identityId string
param identityClientId string

param runtime { name: 'python' | 'powershell', version: string }

@description('Memory of an instance, in MB.')
param memory 512 | 2048 | 4096

@description('Maximum instances: of all functions together, or of each. Microsoft documents both.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Endpoints of the host account.')
param packageUri string
param hostBlobUri string
param hostTableUri string

@description('Settings that the app reads.')
param settings { *: string }

@description('Settings of optional features.')
param optionalSettings { *: string }

@description('Resource id of the subnet for outbound calls. Empty: no subnet.')
param subnetId string

@description('Whether inbound requests can reach the functions of the app.')
param inbound bool

@description('Addresses or ranges that may deploy code. Empty: any.')
param deployAddresses string[]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// No queueServiceUri: the host needs it only for blob triggers, and no app has one.
var hostSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__blobServiceUri: hostBlobUri
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__tableServiceUri: hostTableUri
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': service })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: runtime
      scaleAndConcurrency: { instanceMemoryMB: memory, maximumInstanceCount: maximumInstances, alwaysReady: [] }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: inbound ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsUseMain: false // deployment comes from outside, with Entra
      scmIpSecurityRestrictionsDefaultAction: empty(deployAddresses) ? 'Allow' : 'Deny'
      scmIpSecurityRestrictions: [
        for (address, index) in deployAddresses: {
          name: 'deploy-${index}'
          ipAddress: contains(address, '/') ? address : '${address}/32'
          action: 'Allow'
          priority: 100 + index
        }
      ]
      appSettings: map(
        items(union(hostSettings, settings, optionalSettings)),
        setting => { name: setting.key, value: setting.value }
      )
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

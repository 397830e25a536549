// App Service authentication: callers must sign in to Entra.

param appName string

@description('Answer to a caller who did not sign in: an error, or the sign-in page of Entra.')
param unauthenticated 'Return401' | 'RedirectToLoginPage'

@description('Paths that need no sign-in.')
param excludedPaths string[]

@description('Application (client) id of the app registration that callers sign in to.')
param clientId string

@description('Application ids whose tokens are accepted.')
param allowedApplications string[]

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: unauthenticated
      redirectToProvider: unauthenticated == 'Return401' ? null : 'azureactivedirectory'
      excludedPaths: excludedPaths
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [clientId, 'api://${clientId}']
          defaultAuthorizationPolicy: { allowedApplications: allowedApplications }
        }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

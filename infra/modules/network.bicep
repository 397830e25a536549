// The virtual network for outbound calls and private endpoints of storage. Event Grid cannot deliver into it.

param location string
param tags { *: string }
param name string

@description('Address range of the network, a /24.')
param addressPrefix string

param dataAccountId string
param hostAccountIds string[]

resource network 'Microsoft.Network/virtualNetworks@2024-10-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'responder'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 0)
          // Graph, Exchange and the audit feed are on the internet.
          defaultOutboundAccess: true
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'exchange-worker'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 1)
          defaultOutboundAccess: true
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'console'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 3)
          defaultOutboundAccess: true
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 2)
          defaultOutboundAccess: false
        }
      }
    ]
  }

  resource responder 'subnets' existing = {
    name: 'responder'
  }

  resource worker 'subnets' existing = {
    name: 'exchange-worker'
  }

  resource console 'subnets' existing = {
    name: 'console'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

var services = ['blob', 'queue', 'table']

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, index) in services: {
    parent: zone[index]
    name: name
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

// A host account needs no queue: see app.bicep.
var wanted = concat(
  map(services, service => { account: dataAccountId, service: service }),
  flatten(map(hostAccountIds, id => [{ account: id, service: 'blob' }, { account: id, service: 'table' }]))
)

resource endpoint 'Microsoft.Network/privateEndpoints@2024-10-01' = [
  for each in wanted: {
    name: 'pe-${last(split(each.account, '/'))}-${each.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::endpoints.id }
      privateLinkServiceConnections: [
        #disable-next-line use-resource-id-functions // an account id, passed through the list above
        { name: 'storage', properties: { privateLinkServiceId: each.account, groupIds: [each.service] } }
      ]
    }
  }
]

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01' = [
  for (each, index) in wanted: {
    parent: endpoint[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: each.service
          properties: {
            privateDnsZoneId: zone[indexOf(services, each.service)].id
          }
        }
      ]
    }
    dependsOn: [link]
  }
]

output responderSubnetId string = network::responder.id
output workerSubnetId string = network::worker.id
output consoleSubnetId string = network::console.id

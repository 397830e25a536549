# A stand-in for Microsoft's module of this name, for the sandbox and the tests. It talks to the stand-in tenant's
# InvokeCommand, which has the quirks of Exchange; the quirks of the module are here: the cmdlets come into being when one
# connects, only those that were asked for and that the identity may run; errors are not terminating unless asked; they
# name the exception between bars; the token belongs to the connection. A failure to connect is thrown as the innermost
# exception, whatever -ErrorAction says; disconnecting asks for confirmation; global variables only report the outcome.
# It takes a subset of the module's parameters: tests/exchange_worker/test_stand_in_module.py lists them all.
#
# EXCHANGE_STANDIN_URL          the stand-in Exchange, for example http://127.0.0.1:8080/exchange
# EXCHANGE_STANDIN_NOT_GRANTED  cmdlets, separated by commas, that the identity's role does not have
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$global:EXO_LastExecutionStatus = $true
$script:connections = [System.Collections.Generic.List[object]]::new()
$script:names = @(
    'Get-User', 'Get-MailboxAuditBypassAssociation', 'Set-MailboxAuditBypassAssociation', 'Get-OrganizationConfig', 'Get-AdminAuditLogConfig'
    'Get-Mailbox', 'Set-Mailbox', 'Get-InboxRule', 'Get-MailboxPermission', 'Get-RecipientPermission', 'Get-MailboxFolderPermission'
    'Get-MailboxFolderStatistics', 'Get-ManagementRole', 'Get-ManagementRoleAssignment', 'Get-ManagementRoleEntry', 'Get-RoleGroupMember'
)
$script:http = [System.Net.Http.HttpClient]::new([System.Net.Http.HttpClientHandler]@{ UseProxy = $false })

function Connect-ExchangeOnline {
    <#
    .SYNOPSIS
    Fetches a token for the managed identity and brings the cmdlets into the session.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)][switch]$ManagedIdentity,
        [string]$ManagedIdentityAccountId,
        [Parameter(Mandatory)][ValidatePattern('\.onmicrosoft\.com\z')][string]$Organization,
        [string[]]$CommandName = @('*'),
        [switch]$SkipLoadingFormatData,
        [switch]$ShowBanner = $true
    )

    $global:EXO_LastExecutionStatus = $true
    if ($script:connections.Count) { throw 'A second connection at a time: in a long-lived worker that memory is lost.' }
    if (-not $ManagedIdentity) { throw 'The stand-in signs in with a managed identity only.' }
    $token = try { Get-StandInToken -ClientId $ManagedIdentityAccountId } catch {
        $global:EXO_LastExecutionStatus = $false
        throw $_.Exception.InnerException ?? $_.Exception
    }
    $payload = $token.access_token.Split('.')[1].Replace('-', '+').Replace('_', '/')
    $payload += '=' * ((4 - $payload.Length % 4) % 4)
    $claims = [System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($payload)) | ConvertFrom-Json
    $withheld = "$env:EXCHANGE_STANDIN_NOT_GRANTED".Split(',')
    $given = @($script:names | Where-Object { $name = $_; $name -notin $withheld -and @($CommandName | Where-Object { $name -like $_ }) })
    $name = "tmpEXO_$([guid]::NewGuid().ToString('n').Substring(0, 8))"
    $cmdlets = New-Module -Name $name -ScriptBlock $script:cmdlets -ArgumentList $given, ${function:Invoke-StandInCommand}
    Import-Module -ModuleInfo $cmdlets -Global -DisableNameChecking
    $script:connections.Add([pscustomobject]@{
            State              = 'Connected'
            Name               = "ExchangeOnline_$($script:connections.Count + 1)"
            Organization       = $Organization
            TenantID           = $claims.tid
            AppId              = $claims.appid
            ModuleName         = $name
            TokenExpiryTimeUTC = [DateTimeOffset]::FromUnixTimeSeconds([long]$token.expires_on)
            TokenStatus        = 'Active'
            AccessToken        = $token.access_token
        })
    if ($ShowBanner) { Write-Information 'This is a stand-in for Exchange Online PowerShell.' -InformationAction Continue }
}

function Disconnect-ExchangeOnline {
    <#
    .SYNOPSIS
    Ends every connection and takes the cmdlets away.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param()

    $global:EXO_LastExecutionStatus = $true
    foreach ($connection in $script:connections) {
        if ($PSCmdlet.ShouldProcess($connection.Name, 'Disconnect')) {
            Get-Module -Name $connection.ModuleName | Remove-Module -Force
        }
    }
    $script:connections.Clear()
}

function Get-ConnectionInformation {
    <#
    .SYNOPSIS
    Gives the connections of this session, without their tokens.
    #>
    [CmdletBinding()]
    param()

    foreach ($connection in $script:connections) {
        if ($connection.TokenExpiryTimeUTC -le [DateTimeOffset]::UtcNow) { $connection.TokenStatus = 'Expired' }
        $connection | Select-Object -Property * -ExcludeProperty AccessToken
    }
}

function Get-StandInToken {
    <#
    .SYNOPSIS
    Asks App Service's identity endpoint for a token for Exchange.
    #>
    [CmdletBinding()]
    param([string]$ClientId)

    $url = "${env:IDENTITY_ENDPOINT}?resource=https%3A%2F%2Foutlook.office365.com&api-version=2019-08-01"
    if ($ClientId) { $url += '&client_id=' + [uri]::EscapeDataString($ClientId) }
    $request = [System.Net.Http.HttpRequestMessage]::new('GET', $url)
    $request.Headers.Add('X-IDENTITY-HEADER', $env:IDENTITY_HEADER)
    $response = $script:http.Send($request)
    $text = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult()
    if (-not $response.IsSuccessStatusCode) { throw "ManagedIdentityCredential authentication failed: $([int]$response.StatusCode) $text" }
    $text | ConvertFrom-Json
}

function Send-StandInPage {
    <#
    .SYNOPSIS
    Posts one command to a page's address and gives the page; throws what Exchange refused, as Microsoft's module words it.
    #>
    [CmdletBinding()]
    param([string]$Url, [string]$Body)

    if (-not $script:connections.Count) { throw 'You must call the Connect-ExchangeOnline cmdlet before calling any other cmdlets.' }
    $request = [System.Net.Http.HttpRequestMessage]::new('POST', $Url)
    $request.Headers.Add('Authorization', "Bearer $($script:connections[-1].AccessToken)")
    $request.Headers.Add('Prefer', 'odata.maxpagesize=1000')
    $request.Content = [System.Net.Http.StringContent]::new($Body, [System.Text.Encoding]::UTF8, 'application/json')
    $response = $script:http.Send($request)
    $text = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult()
    if ($response.IsSuccessStatusCode) { return $text | ConvertFrom-Json }
    $status = "$([int]$response.StatusCode) ($($response.ReasonPhrase))"
    $reason = try {
        $failure = ($text | ConvertFrom-Json).error
        if ($failure.PSObject.Properties['details']) { $failure.details[0].message } else { "$($failure.code): $($failure.message)" }
    } catch {
        "Response status code does not indicate success: $status."
    }
    throw $reason
}

function Invoke-StandInCommand {
    <#
    .SYNOPSIS
    Runs one cmdlet for one of the functions below, page by page: rows and warnings as they come, errors on its error stream.
    #>
    [CmdletBinding()]
    param([System.Management.Automation.PSCmdlet]$Caller, [string]$Name, [System.Collections.IDictionary]$Bound)

    $parameters = @{}
    $common = @([System.Management.Automation.PSCmdlet]::CommonParameters) + @([System.Management.Automation.PSCmdlet]::OptionalCommonParameters)
    foreach ($key in @($Bound.Keys | Where-Object { $_ -notin $common })) {
        $parameters[$key] = $Bound[$key] -is [switch] ? [bool]$Bound[$key] : $Bound[$key]
    }
    $body = @{ CmdletInput = @{ CmdletName = $Name; Parameters = $parameters } } | ConvertTo-Json -Compress -Depth 6
    try {
        $tenant = $script:connections.Count ? $script:connections[-1].TenantID : ''
        $url = "$env:EXCHANGE_STANDIN_URL/$tenant/InvokeCommand"
        while ($url) {
            $page = Send-StandInPage -Url $url -Body $body
            foreach ($warning in $page.'@adminapi.warnings') { $Caller.WriteWarning($warning) }
            foreach ($row in $page.value) { $Caller.WriteObject($row) }
            $url = $page.PSObject.Properties['@odata.nextLink']?.Value
        }
    } catch [System.Management.Automation.PipelineStoppedException] {
        throw
    } catch {
        $ErrorActionPreference = 'Continue'  # this module's own preference is not the caller's
        $Caller.WriteError([System.Management.Automation.ErrorRecord]::new($_.Exception, 'StandIn', 'NotSpecified', $Name))
    }
}

function Get-EXOMailbox {
    <#
    .SYNOPSIS
    Lists mailboxes with the properties of the named sets. The module has it before it connects, and whatever the role allows.
    #>
    [CmdletBinding()]
    param([string]$Filter, [string[]]$RecipientTypeDetails, [object]$ResultSize, [string[]]$PropertySets, [string[]]$Properties)

    Invoke-StandInCommand -Caller $PSCmdlet -Name Get-EXOMailbox -Bound $PSBoundParameters
}

$script:cmdlets = {
    param([string[]]$CommandName, [scriptblock]$Invoke)

    function Get-User {
        [CmdletBinding()]
        param([string]$Identity, [string]$Filter, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-User -Bound $PSBoundParameters
    }

    function Get-MailboxAuditBypassAssociation {
        [CmdletBinding()]
        param([Parameter(Position = 0)][string]$Identity, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-MailboxAuditBypassAssociation -Bound $PSBoundParameters
    }

    function Set-MailboxAuditBypassAssociation {
        [CmdletBinding(SupportsShouldProcess)]
        param([Parameter(Mandatory, Position = 0)][string]$Identity, [Parameter(Mandatory)][bool]$AuditBypassEnabled)
        if ($PSCmdlet.ShouldProcess($Identity)) {
            & $Invoke -Caller $PSCmdlet -Name Set-MailboxAuditBypassAssociation -Bound $PSBoundParameters
        }
    }

    function Set-Mailbox {
        [CmdletBinding(SupportsShouldProcess)]
        param([Parameter(Mandatory, Position = 0)][string]$Identity, [bool]$AuditEnabled, [object]$AuditAdmin, [object]$AuditDelegate,
            [object]$AuditOwner, [string]$AuditLogAgeLimit, [string[]]$DefaultAuditSet, [string]$ForwardingSmtpAddress)
        if ($PSCmdlet.ShouldProcess($Identity)) { & $Invoke -Caller $PSCmdlet -Name Set-Mailbox -Bound $PSBoundParameters }
    }

    function Get-Mailbox {
        [CmdletBinding()]
        param([Parameter(Position = 0)][string]$Identity, [string]$Filter, [object]$ResultSize, [switch]$GroupMailbox, [switch]$PublicFolder)
        & $Invoke -Caller $PSCmdlet -Name Get-Mailbox -Bound $PSBoundParameters
    }

    function Get-InboxRule {
        [CmdletBinding()]
        param([string]$Mailbox, [switch]$IncludeHidden, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-InboxRule -Bound $PSBoundParameters
    }

    function Get-MailboxPermission {
        [CmdletBinding()]
        param([Parameter(Position = 0)][string]$Identity, [string]$User, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-MailboxPermission -Bound $PSBoundParameters
    }

    function Get-RecipientPermission {
        [CmdletBinding()]
        param([Parameter(Position = 0)][string]$Identity, [string]$Trustee, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-RecipientPermission -Bound $PSBoundParameters
    }

    function Get-MailboxFolderPermission {
        [CmdletBinding()]
        param([Parameter(Mandatory, Position = 0)][string]$Identity)
        & $Invoke -Caller $PSCmdlet -Name Get-MailboxFolderPermission -Bound $PSBoundParameters
    }

    function Get-MailboxFolderStatistics {
        [CmdletBinding()]
        param([Parameter(Mandatory, Position = 0)][string]$Identity, [string]$FolderScope)
        & $Invoke -Caller $PSCmdlet -Name Get-MailboxFolderStatistics -Bound $PSBoundParameters
    }

    function Get-ManagementRole {
        [CmdletBinding()]
        param([string]$Cmdlet)
        & $Invoke -Caller $PSCmdlet -Name Get-ManagementRole -Bound $PSBoundParameters
    }

    function Get-ManagementRoleAssignment {
        [CmdletBinding()]
        param()
        & $Invoke -Caller $PSCmdlet -Name Get-ManagementRoleAssignment -Bound $PSBoundParameters
    }

    function Get-ManagementRoleEntry {
        [CmdletBinding()]
        param([Parameter(Mandatory, Position = 0)][string]$Identity)
        & $Invoke -Caller $PSCmdlet -Name Get-ManagementRoleEntry -Bound $PSBoundParameters
    }

    function Get-RoleGroupMember {
        [CmdletBinding()]
        param([Parameter(Mandatory, Position = 0)][string]$Identity, [object]$ResultSize)
        & $Invoke -Caller $PSCmdlet -Name Get-RoleGroupMember -Bound $PSBoundParameters
    }

    function Get-OrganizationConfig {
        [CmdletBinding()]
        param()
        & $Invoke -Caller $PSCmdlet -Name Get-OrganizationConfig -Bound $PSBoundParameters
    }

    function Get-AdminAuditLogConfig {
        [CmdletBinding()]
        param()
        & $Invoke -Caller $PSCmdlet -Name Get-AdminAuditLogConfig -Bound $PSBoundParameters
    }

    Export-ModuleMember -Function $CommandName
}

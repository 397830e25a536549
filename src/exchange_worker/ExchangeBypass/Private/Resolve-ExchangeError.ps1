function Resolve-ExchangeError {
    <#
    .SYNOPSIS
    Classifies an Exchange error: its class, whether a new session may help, and the message for an operator.

    .DESCRIPTION
    Exchange puts the name of its exception into the message, between bars. A cmdlet that is missing from the session is
    one that the identity may not run: Exchange loads only what its roles allow. On a 401, a new session is tried first.

    .PARAMETER ErrorRecord
    The error from an Exchange cmdlet or from the connection.

    .PARAMETER Name
    The requested cmdlet.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [System.Management.Automation.ErrorRecord]$ErrorRecord,

        [Parameter(Mandatory)]
        [string]$Name
    )

    $transient = 'DCOverloadedException|SuitabilityDirectoryException|ServerInMMException|' +
        'ADServerSettingsChangedException|StorageTransientException|TooManyRequests|throttl|timed out|' +
        '\b(429|500|502|503|504)\b'
    $session = '\b401\b|UnAuthorized|token (has|is) expired|must call the Connect-ExchangeOnline'
    $permission = '\b403\b|Forbidden|Access ?Denied|write scope|role assigned to application|' +
        'aren.t present in the role definition'
    $chain = for ($each = $ErrorRecord.Exception; $each; $each = $each.InnerException) { $each }
    $names = @($chain).ForEach({ $_.GetType().Name })
    $text = $ErrorRecord.Exception.Message
    $absent = $names -contains 'CommandNotFoundException' -and $text -match [regex]::Escape($Name)
    $class = if ($text -match 'ManagementObjectNotFoundException|ManagementObjectAmbiguousException') {
        'not_found'
    } elseif ($text -match $transient) {
        'transient'
    } elseif ($absent -or $text -match "$session|$permission") {
        'permission'
    } elseif ($names -match '\A(HttpRequest|TaskCanceled|Timeout|IO|Socket)Exception\z') {
        'transient'
    } else {
        'other'
    }
    $ambiguous = $text -match 'ManagementObjectAmbiguousException'
    $help = "The worker's identity may not run ${Name}: it needs Exchange.ManageAsApp and " +
        'an Exchange role with this cmdlet. '
    $message = if ($class -eq 'permission') { $help + $text } else { "${Name}: $text" }
    [pscustomobject]@{
        Class          = if ($ambiguous) { $null } else { $class }
        Outcome        = if ($ambiguous) { 'ambiguous' } else { 'failed' }
        SessionExpired = $class -eq 'permission' -and $text -match $session
        Message        = $message.Substring(0, [Math]::Min(1000, $message.Length))
    }
}

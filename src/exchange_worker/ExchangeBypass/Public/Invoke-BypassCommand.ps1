function Invoke-BypassCommand {
    <#
    .SYNOPSIS
    Carries out disable_bypass or check_bypass and returns the answer.

    .DESCRIPTION
    Never throws because of the command's content: an invalid command is refused. The answer has what was found before
    an error. An unknown kind is answered as check_bypass, refused.
    Permissions in Exchange: Get-User, Get-MailboxAuditBypassAssociation, Set-MailboxAuditBypassAssociation.

    .PARAMETER Command
    The command, as Read-BypassMessage returns it.

    .PARAMETER Deliveries
    How often the queue has delivered the message. If more than once, a crashed worker may already have switched it off.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command,

        [ValidateRange('Positive')]
        [int]$Deliveries = 1
    )

    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $answer = [ordered]@{
        schema_version   = 1
        command_id       = $Command['command_id']
        kind             = if ($Command['kind'] -ceq 'disable_bypass') { 'disable_bypass' } else { 'check_bypass' }
        tenant_id        = Get-AnswerTenant -Command $Command
        target           = [string]$Command['target']
        outcome          = $null
        resolved         = $null
        candidates       = @()
        before           = $null
        after            = $null
        read_at          = $null
        attempts         = 0
        deliveries       = $Deliveries
        duration_seconds = 0
        worker           = $null
        error            = $null
        error_class      = $null
    }
    try {
        $setting = Get-WorkerSetting
        Assert-BypassCommand -Command $Command -Kind 'disable_bypass', 'check_bypass' -TenantId $setting.TenantId
        $named = @{ ObjectId = $Command['object_id']; Identity = $Command['identity'] }
        $answer.resolved = Resolve-ExchangeObject @named -Setting $setting
        $answer.before = Get-BypassState -ExchangeGuid $answer.resolved.exchange_guid -Answer $answer -Setting $setting
        $answer.outcome = if ($answer.kind -eq 'check_bypass') {
            'checked'
        } else {
            Disable-Bypass -Answer $answer -Setting $setting
        }
    } catch {
        Add-AnswerError -Answer $answer -ErrorRecord $_
    }
    $answer.worker = Get-WorkerVersion
    $answer.duration_seconds = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
    $answer
}

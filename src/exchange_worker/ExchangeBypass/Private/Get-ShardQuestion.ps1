function Get-ShardQuestion {
    <#
    .SYNOPSIS
    Returns the cmdlet (Name) and the parameters (Parameter) that list the mailboxes of a shard.

    .DESCRIPTION
    Other is what the first two leave, so that no type is missed. The range is asked for with a day more on both sides:
    Exchange does not say in which zone it reads the times of a filter. The caller compares each row.

    .PARAMETER Shard
    The shard, as the command has it.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Shard
    )

    $asked = @{ ResultSize = 'Unlimited' }
    $filters = @()
    $name = 'Get-EXOMailbox'
    switch -CaseSensitive ($Shard['recipients']) {
        'user' { $asked.RecipientTypeDetails = 'UserMailbox' }
        'shared' { $asked.RecipientTypeDetails = 'SharedMailbox' }
        'other' { $filters += "RecipientTypeDetails -ne 'UserMailbox'", "RecipientTypeDetails -ne 'SharedMailbox'" }
        'group' { $name = 'Get-Mailbox'; $asked.GroupMailbox = $true }
        'public_folder' { $name = 'Get-Mailbox'; $asked.PublicFolder = $true }
    }
    if ($name -eq 'Get-EXOMailbox') {
        $asked.PropertySets = @('Minimum', 'Audit')
        $asked.Properties = @('WhenCreated', 'PersistedCapabilities')
    }
    foreach ($bound in @('since', '-ge', -1), @('until', '-lt', 1)) {
        $moment = ConvertTo-UtcTime -Value $Shard[$bound[0]]
        if ($null -eq $moment) { continue }
        $text = $moment.AddDays($bound[2]).ToString('MM/dd/yyyy HH:mm:ss', [cultureinfo]::InvariantCulture)
        $filters += "WhenCreated $($bound[1]) '$text'"
    }
    if ($filters) { $asked.Filter = $filters -join ' -and ' }
    @{ Name = $name; Parameter = $asked }
}

function Get-TargetProblem {
    <#
    .SYNOPSIS
    Returns what is wrong with how a command names its account, or nothing when it is valid.

    .DESCRIPTION
    Exactly one of object_id and identity is required. Only check_bypass accepts an identity, and never one that could
    match several accounts. list_bypassed names no account.

    .PARAMETER Command
    The command, of an accepted kind.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary]$Command
    )

    $objectId, $identity = $Command['object_id'], $Command['identity']
    if ($Command['kind'] -ceq 'list_bypassed') {
        if ($null -ne $objectId -or $null -ne $identity -or $null -ne $Command['target']) {
            'The command is not valid: list_bypassed takes no account.'
        }
    } elseif ($Command['target'] -isnot [string]) {
        'The command is not valid: target is not a string.'
    } elseif (($null -eq $objectId) -eq ($null -eq $identity)) {
        'The command is not valid: exactly one of object_id and identity is required.'
    } elseif ($null -ne $objectId -and -not (Test-Guid -Value $objectId)) {
        'The command is not valid: object_id is not a GUID.'
    } elseif ($null -ne $identity -and $Command['kind'] -cne 'check_bypass') {
        'The command is not valid: disable_bypass accepts object_id only.'
    } elseif ($null -ne $identity -and ($identity -isnot [string] -or $identity.Length -gt 1024)) {
        'The command is not valid: identity is not a string of at most 1024 characters.'
    } elseif ($null -ne $identity -and (-not $identity.Trim() -or $identity -match '[*?\x00-\x1f\x7f]')) {
        'The command is not valid: identity is empty, or contains a wildcard or a control character.'
    }
}

function Get-TargetProblem {
    <#
    .SYNOPSIS
    Says what is wrong with how a command names its account; nothing when it is right.

    .DESCRIPTION
    Exactly one of object_id and identity; only check_bypass takes an identity, and never one that could mean many.
    list_bypassed names none.

    .PARAMETER Command
    The command, of a kind that is known.
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
            'The command is not valid: list_bypassed names no account.'
        }
    } elseif ($Command['target'] -isnot [string]) {
        'The command is not valid: target is not a text.'
    } elseif (($null -eq $objectId) -eq ($null -eq $identity)) {
        'The command is not valid: exactly one of object_id and identity names the account.'
    } elseif ($null -ne $objectId -and -not (Test-Guid -Value $objectId)) {
        'The command is not valid: object_id is not a GUID.'
    } elseif ($null -ne $identity -and $Command['kind'] -cne 'check_bypass') {
        'The command is not valid: disable_bypass takes an object_id only.'
    } elseif ($null -ne $identity -and ($identity -isnot [string] -or $identity.Length -gt 1024)) {
        'The command is not valid: identity is not a text of at most 1024 characters.'
    } elseif ($null -ne $identity -and (-not $identity.Trim() -or $identity -match '[*?\x00-\x1f\x7f]')) {
        'The identity is empty or has a wildcard or control character.'
    }
}

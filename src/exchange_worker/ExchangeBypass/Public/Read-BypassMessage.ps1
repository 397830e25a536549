function Read-BypassMessage {
    <#
    .SYNOPSIS
    Returns the queue message as a dictionary with a command_id.

    .DESCRIPTION
    The platform passes JSON as a dictionary with case-sensitive keys, and anything else unchanged.
    Throws when the message has no command_id: an answer could not be matched to its command.

    .PARAMETER Message
    The message from the queue trigger.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [AllowEmptyCollection()]
        [object]$Message
    )

    if ($Message -isnot [System.Collections.IDictionary]) {
        throw 'The message is not a JSON object.'
    }
    if ($Message['command_id'] -isnot [string] -or -not $Message['command_id']) {
        throw 'The message has no command_id.'
    }
    $Message
}

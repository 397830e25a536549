function Read-BypassMessage {
    <#
    .SYNOPSIS
    Gives the queue message as a dictionary that names its command.

    .DESCRIPTION
    The platform hands over JSON as a dictionary with case-sensitive keys, and anything else as it is.
    Throws for a message that has no command id, because nobody could tell what an answer to it belongs to.

    .PARAMETER Message
    What the queue trigger gave.
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

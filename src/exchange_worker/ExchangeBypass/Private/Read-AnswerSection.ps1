function Read-AnswerSection {
    <#
    .SYNOPSIS
    Reads one section of an answer: its items, or why they could not be read.

    .DESCRIPTION
    A missing permission costs only the sections that need it. An account without a mailbox has empty sections.

    .PARAMETER Read
    Returns the items. What it adds to $missing is listed as not enumerated.

    .PARAMETER MostItems
    How many items the section has at most; the rest is counted.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [Parameter(Mandatory)]
        [scriptblock]$Read,

        [Parameter(Mandatory)]
        [int]$MostItems
    )

    $missing = [System.Collections.Generic.List[string]]::new()
    $section = [ordered]@{ items = @(); total = 0; error = $null; error_class = $null; not_enumerated = @() }
    try {
        $items = @(& $Read)
        $section.items = @($items | Select-Object -First $MostItems)
        $section.total = $items.Count
    } catch {
        $data = $_.Exception.Data
        $class = if ($data.Contains('BypassErrorClass')) { $data['BypassErrorClass'] } else { 'other' }
        if ($class -eq 'not_found') {
            $missing.Add('Exchange finds no mailbox of this account')
        } else {
            $section.error = $_.Exception.Message
            $section.error_class = if ($class) { $class } else { 'other' }
        }
    }
    $section.not_enumerated = @($missing)
    $section
}

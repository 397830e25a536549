# Parses every PowerShell file under the folders given and says, as JSON, what the tests beside it ask about.
param([Parameter(Mandatory)][string[]]$Folder)

$verbs = foreach ($group in 'Common', 'Communications', 'Data', 'Diagnostic', 'Lifecycle', 'Other', 'Security') {
    ("System.Management.Automation.Verbs$group" -as [type]).GetFields().Name
}
$files = foreach ($file in Get-ChildItem -Path $Folder -Recurse -File | Where-Object Extension -In '.ps1', '.psm1') {
    $tokens = $problems = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref]$tokens, [ref]$problems)
    $nodes = $tree.FindAll({ $true }, $true)
    $all = { param($type) $nodes | Where-Object { $_.GetType().Name -eq $type } }
    $functions = foreach ($each in & $all 'FunctionDefinitionAst') {
        $help = $each.GetHelpContent()
        $parameters = $each.Body.ParamBlock ? $each.Body.ParamBlock.Parameters : @()
        @{
            name          = $each.Name
            verb_approved = $each.Name.Replace('global:', '').Split('-')[0] -in $verbs
            synopsis      = $help ? "$($help.Synopsis)".Trim() : ''
            undocumented  = @($parameters | ForEach-Object { $_.Name.VariablePath.UserPath } |
                    Where-Object { -not $help -or -not $help.Parameters -or -not $help.Parameters.ContainsKey($_.ToUpperInvariant()) })
            attributes    = @($each.Body.ParamBlock?.Attributes | ForEach-Object { $_.Extent.Text })
        }
    }
    @{
        path      = $file.FullName
        problems  = @($problems | ForEach-Object { $_.Message })
        functions = @($functions)
        commands  = @(& $all 'CommandAst' | ForEach-Object { $_.GetCommandName() } | Where-Object { $_ })
        settings  = @(& $all 'CommandAst' | ForEach-Object { $_.Extent.Text } | Where-Object { $_ -like 'Set-StrictMode*' })
        assigned  = @(& $all 'AssignmentStatementAst' | ForEach-Object { $_.Extent.Text })
        members   = @(& $all 'InvokeMemberExpressionAst' | ForEach-Object { $_.Member.Extent.Text })
    }
}
ConvertTo-Json -InputObject @($files) -Depth 6 -Compress

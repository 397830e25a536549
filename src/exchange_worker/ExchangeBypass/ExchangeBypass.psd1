@{
    RootModule        = 'ExchangeBypass.psm1'
    ModuleVersion     = '0.1.0'
    GUID              = '6f1d8a35-3c0e-4d5b-9a57-0f5f7c8f2b11'
    Author            = 'The bypass-responder authors'
    Description       = 'Finds mailbox audit bypass in Exchange Online, switches it off and verifies that it is off.'
    PowerShellVersion = '7.6'
    FunctionsToExport = @('Invoke-BypassCommand', 'Invoke-BypassRead', 'Invoke-BypassSweep', 'Read-BypassMessage')
    CmdletsToExport   = @()
    VariablesToExport = @()
    AliasesToExport   = @()
}

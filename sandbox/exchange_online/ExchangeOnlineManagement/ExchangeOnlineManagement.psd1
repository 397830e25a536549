@{
    RootModule        = 'ExchangeOnlineManagement.psm1'
    ModuleVersion     = '3.10.1'
    GUID              = '0f6f6a0e-5b58-4b0e-9d2a-9f3a3a8b7c44'
    Author            = 'The bypass-responder authors'
    Description       = 'Stand-in for ExchangeOnlineManagement: the cmdlets that the worker uses, on the stand-in tenant of the sandbox. Not Microsoft''s module.'
    PowerShellVersion = '7.6'
    FunctionsToExport = @('Connect-ExchangeOnline', 'Disconnect-ExchangeOnline', 'Get-ConnectionInformation', 'Get-EXOMailbox')
    CmdletsToExport   = @()
    VariablesToExport = @()
    AliasesToExport   = @()
    PrivateData       = @{ PSData = @{ Prerelease = 'standin' } }
}

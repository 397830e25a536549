"""A stand-in ExchangeOnlineManagement module, and the real worker's functions run with it.

The functions run under ``pwsh``.
"""

from sandbox.exchange_online.powershell import Function, Invocation, PowerShellError, missing

__all__ = ["Function", "Invocation", "PowerShellError", "missing"]

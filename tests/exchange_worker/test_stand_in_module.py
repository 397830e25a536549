"""The stand-in for ExchangeOnlineManagement behaves as the module does, where the worker uses it.

The module's public script text is the reference. The names below were noted from version 3.9.0 on PowerShell 7 for
Linux.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest

from sandbox.exchange_online import Function
from sandbox.exchange_online.powershell import APP, FOLDER
from sandbox.tenant.account import Account
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import Start, a_check, ask, settings

SWITCHES = {
    "BypassMailboxAnchoring", "Device", "DisableWAM", "EnableErrorReporting", "InlineCredential", "LoadCmdletHelp",
    "ManagedIdentity", "ShowBanner", "SkipLoadingCmdletHelp", "SkipLoadingFormatData", "UseRPSSession",
}  # fmt: skip
TEXTS = {
    "AccessToken", "AppId", "AzureADAuthorizationEndpointUri", "CertificateFilePath", "ConnectionUri",
    "DelegatedOrganization", "LogDirectoryPath", "ManagedIdentityAccountId", "Organization", "Prefix",
    "UserPrincipalName",
}  # fmt: skip
LISTS = {"CommandName", "FormatTypeName"}
OTHERS = {
    "Certificate", "CertificatePassword", "Credential", "ExchangeEnvironmentName", "LogLevel", "PageSize",
    "PSSessionOption", "ShowProgress", "SigningCertificate", "TrackPerformance", "UseMultithreading",
}  # fmt: skip
TYPES = (
    dict.fromkeys(SWITCHES, "SwitchParameter")
    | dict.fromkeys(TEXTS, "String")
    | dict.fromkeys(LISTS, "String[]")
    | dict.fromkeys(OTHERS, "")
)
CONNECT = (
    "Connect-ExchangeOnline -ManagedIdentity -Organization contoso.onmicrosoft.com -ShowBanner:$false"
    " -ManagedIdentityAccountId $env:AZURE_CLIENT_ID"
)


def said(script: str, environment: dict[str, str]) -> Any:
    """What a script says as JSON, with the stand-in module imported."""
    text = f"$ErrorActionPreference = 'Stop'; Import-Module '{FOLDER / 'ExchangeOnlineManagement'}'; {script}"
    command = ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", text]
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment | inherited)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def environment(served: tuple[Tenant, str], tenant: Tenant) -> dict[str, str]:
    return settings(served[1])


def test_each_parameter_of_connecting_is_one_of_the_modules(environment: dict[str, str]) -> None:
    common = "([System.Management.Automation.PSCmdlet]::CommonParameters)"
    listed = f"(Get-Command Connect-ExchangeOnline).Parameters.Values | Where-Object Name -NotIn {common}"
    found = said(
        f"{listed} | Select-Object Name, @{{n='Type'; e={{$_.ParameterType.Name}}}} | ConvertTo-Json", environment
    )

    assert {each["Name"]: each["Type"] for each in found}.items() <= TYPES.items()


def test_the_worker_passes_parameters_of_the_module_only() -> None:
    text = (APP / "ExchangeBypass/Private/Connect-ExchangeOnce.ps1").read_text(encoding="utf-8")
    block = text.split("$connection = @{")[1].split("\n    }")[0]
    passed = set(re.findall(r"^        (\w+) +=", block, re.MULTILINE)) - {"ErrorAction"}

    assert passed
    assert passed <= TYPES.keys()


def test_without_a_list_of_cmdlets_all_of_them_come(environment: dict[str, str]) -> None:
    script = f"{CONNECT}; @((Get-Module tmpEXO_*).ExportedCommands.Keys).Count | ConvertTo-Json"

    assert said(script, environment) == 16


def test_a_list_of_cmdlets_may_have_wildcards(environment: dict[str, str]) -> None:
    script = f"{CONNECT} -CommandName Get-*Config; @((Get-Module tmpEXO_*).ExportedCommands.Keys) | ConvertTo-Json"

    assert set(said(script, environment)) == {"Get-OrganizationConfig", "Get-AdminAuditLogConfig"}


def test_disconnecting_asks_unless_confirm_is_false(environment: dict[str, str]) -> None:
    """Nobody can answer in a function app, so that it fails."""
    script = (
        f"{CONNECT}; $said = try {{ Disconnect-ExchangeOnline; 'done' }} catch {{ 'asked' }}; $said | ConvertTo-Json"
    )

    assert said(script, environment) == "asked"


def test_a_failure_to_connect_is_thrown_unwrapped_and_reported(environment: dict[str, str]) -> None:
    nobody = environment | {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/token"}
    script = (
        f"$name = try {{ {CONNECT} -ErrorAction SilentlyContinue; '' }} catch {{ $_.Exception.GetType().Name }}; "
        "@($name, $global:EXO_LastExecutionStatus) | ConvertTo-Json"
    )

    assert said(script, nobody) == ["HttpRequestException", False]


def test_a_connection_outlives_the_global_variables_of_its_run(start: Start, tenant: Tenant, alex: Account) -> None:
    """The platform removes the new ones after each run."""
    function: Function = start()
    for _ in range(2):
        assert ask(function, a_check(object_id=alex.object_id)).outcome == "checked"

    assert tenant.counters["identity.token"] == 1

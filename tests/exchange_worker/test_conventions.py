"""How the PowerShell of the worker is written."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.exchange_online.powershell import APP, FOLDER

MODULE = APP / "ExchangeBypass"
CONTROLLERS = [APP / f"Exchange{queue}" / "run.ps1" for queue in ("Checks", "Commands", "Reads", "Sweeps")]
Files = dict[Path, dict[str, Any]]


@pytest.fixture(scope="session")
def files(_pwsh: None) -> Files:
    """Every PowerShell file of the worker and of the stand-in module, as PowerShell parses it."""
    script = str(Path(__file__).with_name("conventions.ps1"))
    call = f"& '{script}' -Folder '{APP}', '{FOLDER}'"
    command = ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", call]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
    ended = subprocess.run(command, capture_output=True, check=True, env=environment, text=True)
    return {Path(each["path"]): each for each in json.loads(ended.stdout)}


@pytest.fixture(scope="session")
def of_the_module(files: Files) -> Files:
    return {path: each for path, each in files.items() if path.parent.parent == MODULE}


def test_every_file_parses(files: Files) -> None:
    assert {path.name: each["problems"] for path, each in files.items() if each["problems"]} == {}


def test_every_function_has_a_file_of_the_same_name(of_the_module: Files) -> None:
    found = {path.stem: [each["name"] for each in file["functions"]] for path, file in of_the_module.items()}

    assert found
    assert found == {name: [name] for name in found}


def test_every_verb_is_approved(files: Files) -> None:
    named = {each["name"]: each["verb_approved"] for file in files.values() for each in file["functions"]}

    assert [name for name, approved in named.items() if not approved] == []


def test_every_function_has_help(files: Files) -> None:
    own = [
        each
        for path, file in files.items()
        for each in file["functions"]
        if APP in path.parents or not each["name"].startswith(("Get-", "Set-"))
    ]

    assert [each["name"] for each in own if not each["synopsis"]] == []


def test_every_parameter_has_help(of_the_module: Files) -> None:
    found = {each["name"]: each["undocumented"] for file in of_the_module.values() for each in file["functions"]}

    assert {name: missing for name, missing in found.items() if missing} == {}


def test_every_function_binds_like_a_cmdlet(of_the_module: Files) -> None:
    found = {
        each["name"]: " ".join(each["attributes"]) for file in of_the_module.values() for each in file["functions"]
    }

    assert [name for name, attributes in found.items() if "CmdletBinding" not in attributes] == []


def test_what_changes_state_supports_should_process(of_the_module: Files) -> None:
    changing = {path for path in of_the_module if "-Name Set-Mailbox" in path.read_text(encoding="utf-8")}
    functions = [function for path in changing for function in of_the_module[path]["functions"]]

    assert {path.stem for path in changing} == {"Disable-Bypass", "Set-AuditSetting"}
    assert all("SupportsShouldProcess" in " ".join(function["attributes"]) for function in functions)


@pytest.mark.parametrize("path", [MODULE / "ExchangeBypass.psm1", *CONTROLLERS])
def test_the_entrances_are_strict(files: Files, path: Path) -> None:
    assert files[path]["settings"] == ["Set-StrictMode -Version Latest"]
    assert "$ErrorActionPreference = 'Stop'" in files[path]["assigned"]


def test_no_text_is_ever_run(files: Files) -> None:
    for file in files.values():
        assert {"Invoke-Expression", "iex"}.isdisjoint(file["commands"])
        assert {"Create", "InvokeScript", "NewScriptBlock", "ExpandString"}.isdisjoint(file["members"])


def test_nothing_switches_a_bypass_on(of_the_module: Files) -> None:
    for path in of_the_module:
        assert "AuditBypassEnabled = $true" not in path.read_text(encoding="utf-8")


def test_the_start_of_the_app_imports_and_sets_nothing(files: Files) -> None:
    """It runs in the global scope, whose strict mode and preferences reach into Microsoft's module."""
    start = files[APP / "profile.ps1"]

    assert (start["commands"], start["assigned"]) == ([], [])


def test_the_module_shows_what_the_controllers_call(files: Files) -> None:
    manifest = (MODULE / "ExchangeBypass.psd1").read_text(encoding="utf-8")
    public = {path.stem for path in (MODULE / "Public").glob("*.ps1")}
    own = {each["name"] for path, file in files.items() if MODULE in path.parents for each in file["functions"]}
    called = {name for path in CONTROLLERS for name in files[path]["commands"]} & own

    assert called == public
    assert {name for name in own if f"'{name}'" in manifest} == public

"""`bypassctl profile`: added, listed, shown, used, removed."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.ctl import Said, bypassctl_program, run_bypassctl
from tests.world import TENANT

STORAGE = {
    f"ResponderStorage__{kind}ServiceUri": f"https://stcontoso.{kind}.core.windows.net"
    for kind in ("table", "queue", "blob")
}
AZD = {
    **STORAGE,
    "TENANT_ID": TENANT,
    "AZURE_RESOURCE_GROUP": "rg-contoso",
    "MODE": "enforce",
    "NOTIFICATION_WEBHOOK_SECRET": "x",
}
OTHER = "11111111-0000-4000-8000-000000000001"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}", "NO_COLOR": "1"}


def config(home: dict[str, str]) -> dict[str, Any]:
    return tomllib.loads((Path(home["XDG_CONFIG_HOME"]) / "bypassctl" / "config.toml").read_text(encoding="utf-8"))


def azd(home: dict[str, str], lines: str, *, code: int = 0) -> None:
    """Put a stand-in for azd on the path."""
    file = Path(home["XDG_CONFIG_HOME"]) / "azd"
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexit {code}\n", encoding="utf-8")
    file.chmod(0o755)


def add(home: dict[str, str], name: str, tenant: str = TENANT, *more: str) -> Said:
    values = STORAGE | {"TENANT_ID": tenant}
    words = [word for each in values.items() for word in ("--set", "=".join(each))]
    return run_bypassctl(home, "profile", "add", name, *words, *more)


def test_a_profile_is_taken_from_azd_without_what_is_secret_or_of_the_app(home: dict[str, str]) -> None:
    azd(home, "\n".join(f'{name}="{value}"' for name, value in AZD.items()))
    said = run_bypassctl(home, "profile", "add", "prod", "--from-azd")
    taken = {name: AZD[name] for name in (*STORAGE, "TENANT_ID", "AZURE_RESOURCE_GROUP")}

    assert (said.code, config(home)) == (0, {"current": "prod", "profiles": {"prod": taken}})


@pytest.mark.parametrize(
    ("lines", "code", "error"),
    [
        ("", 0, "has no TENANT_ID, ResponderStorage__tableServiceUri, "),
        ("ERROR: no project exists", 1, "azd failed: ERROR: no project exists. Run it where azure.yaml is"),
    ],
)
def test_what_azd_lacks_is_one_line_with_the_fix(home: dict[str, str], lines: str, code: int, error: str) -> None:
    azd(home, lines, code=code)
    said = run_bypassctl(home, "profile", "add", "prod", "--from-azd")

    assert (said.code, said.err.count("\n"), error in said.err) == (3, 1, True)


def test_without_azd_the_fix_is_to_name_each_setting(home: dict[str, str]) -> None:
    said = run_bypassctl(home | {"PATH": ""}, "profile", "add", "prod", "--from-azd")

    assert (said.code, "--set NAME=VALUE" in said.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("prod",), "ResponderStorage is not set"),
        (("prod", "--set", "ResponderStorage=x"), "TENANT_ID is not set"),
        (("prod", "--set", "ResponderStorage=x", "--set", "TENANT_ID=contoso"), "TENANT_ID must be a GUID"),
        (("prod", "--set", "TENANTID=x"), "--set TENANTID is not a setting"),
        (("prod", "--set", "MODE"), "Use NAME=VALUE"),
        (("../prod", "--set", f"TENANT_ID={TENANT}"), "is not a valid profile name"),
    ],
)
def test_what_is_wrong_is_not_added(home: dict[str, str], words: tuple[str, ...], error: str) -> None:
    said = run_bypassctl(home, "profile", "add", *words)

    assert (said.code, said.err.count("\n"), error in said.err) == (2, 1, True)
    assert not list(Path(home["XDG_CONFIG_HOME"]).rglob("config.toml"))


def test_the_first_profile_is_used_until_another_one_is_chosen(home: dict[str, str]) -> None:
    add(home, "prod")
    add(home, "test", OTHER)
    before = config(home)["current"]
    said = run_bypassctl(home, "profile", "use", "test")

    assert (before, said.code, config(home)["current"]) == ("prod", 0, "test")


def test_a_profile_is_replaced_only_when_that_is_meant(home: dict[str, str]) -> None:
    add(home, "prod")
    refused, replaced = add(home, "prod", OTHER), add(home, "prod", OTHER, "--replace")

    assert (refused.code, "add --replace" in refused.err) == (3, True)
    assert (replaced.code, config(home)["profiles"]["prod"]["TENANT_ID"]) == (0, OTHER)


def test_the_list_says_which_one_is_in_use(home: dict[str, str]) -> None:
    add(home, "prod")
    add(home, "test", OTHER)
    said = run_bypassctl(home, "profile", "list", "-o", "json")

    assert said.json == [
        {"name": "prod", "in_use": True, "tenant_id": TENANT},
        {"name": "test", "in_use": False, "tenant_id": OTHER},
    ]


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_a_secret_is_not_shown(home: dict[str, str], output: str) -> None:
    receivers = '[{"name":"soc","kind":"slack","url":"https://hooks.slack.com/services/key1"}]'
    settings = (f"TENANT_ID={TENANT}", "ResponderStorage=AccountKey=key1", f"NOTIFICATION_RECEIVERS={receivers}")
    run_bypassctl(home, "profile", "add", "a", *(word for setting in settings for word in ("--set", setting)))
    said = run_bypassctl(home, "profile", "show", "-o", output)

    assert (said.code, TENANT in said.out, "(set)" in said.out, "key1" in said.out) == (0, True, True, False)


def test_a_removed_profile_is_in_use_no_more(home: dict[str, str]) -> None:
    add(home, "prod")
    said = run_bypassctl(home, "profile", "remove", "prod")

    assert (said.code, config(home)) == (0, {"profiles": {}})


@pytest.mark.parametrize("verb", ["use", "show", "remove"])
def test_a_profile_that_is_not_there_is_named_with_the_others(home: dict[str, str], verb: str) -> None:
    add(home, "prod")
    said = run_bypassctl(home, "profile", verb, "prd")

    assert (said.code, "There is no profile prd. Profiles: prod." in said.err) == (2, True)


def test_a_command_without_settings_says_how_to_add_a_profile(home: dict[str, str]) -> None:
    said = run_bypassctl(home, "status")

    assert (said.code, said.err.count("\n"), "bypassctl profile add NAME --from-azd" in said.err) == (3, 1, True)


def test_a_profile_that_the_line_names_and_is_not_there_ends_with_3(home: dict[str, str]) -> None:
    said = run_bypassctl(home, "status", "--profile", "prd")

    assert (said.code, "There is no profile prd." in said.err) == (3, True)


def test_a_variable_names_the_profile_too(home: dict[str, str]) -> None:
    add(home, "prod")
    said = bypassctl_program(home | {"BYPASSCTL_PROFILE": "prd"}, "status")

    assert "There is no profile prd." in said.err


def test_what_the_shell_overrides_is_said_once(home: dict[str, str]) -> None:
    add(home, "prod")
    shell = {"TENANT_ID": OTHER, "ResponderStorage": "UseDevelopmentStorage=true;"}
    said = bypassctl_program(home | shell, "--profile", "prod", "incidents", "list")

    assert said.err.count("the value of this shell is used, not that of the profile.") == 1
    assert "TENANT_ID" in said.err


def test_profiles_are_completed(home: dict[str, str]) -> None:
    add(home, "prod")
    add(home, "test", OTHER)
    line = "bypassctl profile use p"
    env = home | {"_BYPASSCTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "3"}

    assert bypassctl_program(env).out.split() == ["prod"]


def test_the_file_of_another_tool_is_refused(home: dict[str, str]) -> None:
    folder = Path(home["XDG_CONFIG_HOME"]) / "bypassctl"
    folder.mkdir()
    (folder / "config.toml").write_text(json.dumps({"a": 1}), encoding="utf-8")
    said = run_bypassctl(home, "profile", "list")

    assert (said.code, said.err.count("\n"), "cannot be read" in said.err) == (3, 1, True)

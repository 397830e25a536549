"""azure.yaml: only keys that azd knows, prebuilt packages, and the order of what happens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.infra.hooks.stand_ins import HOOKS, ROOT

PLATFORM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["shell", "run"],
    "properties": {"shell": {"enum": ["sh", "pwsh"]}, "run": {"type": "string"}},
}
HOOK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["posix", "windows"],
    "properties": {"posix": PLATFORM, "windows": PLATFORM},
}
EVENTS = ("package", "provision", "deploy", "up", "down", "restore", "publish")
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "requiredVersions", "infra", "services", "hooks"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "requiredVersions": {"type": "object", "additionalProperties": False, "properties": {"azd": {}}},
        "infra": {"type": "object", "additionalProperties": False, "properties": {"provider": {"const": "bicep"}}}
        | {"properties": {name: {"type": "string"} for name in ("provider", "path", "module")}},
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["project", "host", "language", "remoteBuild", "dist"],
                "properties": {
                    "project": {"const": "."},
                    "dist": {"type": "string"},
                    "host": {"const": "function"},
                    "language": {"const": "python"},
                    "remoteBuild": {"const": False},
                    "uses": {"type": "array", "items": {"type": "string"}},
                    "hooks": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {f"{when}package": HOOK for when in ("pre", "post")},
                    },
                },
            },
        },
        "hooks": {
            "type": "object",
            "additionalProperties": False,
            "properties": {f"{when}{event}": HOOK for event in EVENTS for when in ("pre", "post")},
        },
    },
}
"""The keys of the azd schema that are used here, and what they must say."""


@pytest.fixture(scope="module")
def azd() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "azure.yaml")
    return loaded


def hooks(azd: dict[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """Every hook, those of a service under its name."""
    own = {f"{name} {event}": hook for name, each in azd["services"].items() for event, hook in each["hooks"].items()}
    everywhere: dict[str, dict[str, dict[str, str]]] = own | azd["hooks"]
    return everywhere


def test_it_has_only_what_azd_knows(azd: dict[str, Any]) -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(azd)] == []


def test_each_step_has_its_hook(azd: dict[str, Any]) -> None:
    """Azd's order: prepackage, package, provision, postprovision, predeploy, deploy, postdeploy; predown."""
    assert {name: hook["posix"]["run"] for name, hook in hooks(azd).items()} == {
        "exchange-worker prepackage": "infra/hooks/package-exchange-worker.sh",
        "responder prepackage": "infra/hooks/package-responder.sh",
        "prepackage": "infra/hooks/prepackage.sh",
        "postprovision": "infra/hooks/postprovision.sh",
        "predeploy": "infra/hooks/predeploy.sh",
        "postdeploy": "infra/hooks/postdeploy.sh",
        "predown": "infra/hooks/predown.sh",
    }


def test_a_hook_is_the_same_on_windows(azd: dict[str, Any]) -> None:
    for hook in hooks(azd).values():
        assert hook["windows"]["run"] == hook["posix"]["run"].removesuffix(".sh") + ".ps1"
        assert (hook["windows"]["shell"], hook["posix"]["shell"]) == ("pwsh", "sh")
        assert (ROOT / hook["windows"]["run"]).is_file()
        assert (ROOT / hook["posix"]["run"]).is_file()


def test_no_hook_is_left_unused(azd: dict[str, Any]) -> None:
    used = {each["run"].rsplit("/", 1)[1] for hook in hooks(azd).values() for each in hook.values()}

    assert {path.name for path in HOOKS.iterdir()} - used == {"common.sh", "common.ps1"}


def test_the_worker_is_deployed_before_the_responder(azd: dict[str, Any]) -> None:
    services = azd["services"]

    assert list(services) == ["exchange-worker", "responder"]
    assert ("uses" in services["exchange-worker"], services["responder"]["uses"]) == (False, ["exchange-worker"])


def test_the_hooks_use_what_the_templates_give_and_take() -> None:
    """Names of outputs of main.bicep, and exactly the parameters of events.bicep."""
    common, postdeploy = ((HOOKS / name).read_text(encoding="utf-8") for name in ("common.sh", "postdeploy.sh"))
    needed = {name for line in re.findall(r"need ([A-Z_ ]+)", common + postdeploy) for name in line.split()}
    given = set(re.findall(r'"(\w+)=\$', postdeploy))
    main, events = ((ROOT / "infra" / name).read_text(encoding="utf-8") for name in ("main.bicep", "events.bicep"))

    assert needed - set(re.findall(r"^output (\w+) ", main, re.MULTILINE)) == {"AZURE_SUBSCRIPTION_ID"}
    assert given == set(re.findall(r"^param (\w+) ", events, re.MULTILINE))


def test_what_is_deployed_is_what_make_package_leaves(azd: dict[str, Any]) -> None:
    """Nothing in the packages may be called so that azd leaves it out."""
    assert {name: each["dist"] for name, each in azd["services"].items()} == {
        "exchange-worker": "build/exchange-worker",
        "responder": "build/responder",
    }
    assert not (ROOT / ".funcignore").exists()

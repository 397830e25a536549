"""What the host sees of the app, and what importing it costs."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "aiohttp", "azure.core", "azure.data", "azure.identity", "azure.monitor", "azure.storage", "fastapi", "httpx",
    "kiota_abstractions", "msal", "msgraph", "opentelemetry", "pydantic", "starlette", "tenacity",
}  # fmt: skip


def test_every_binding_is_as_written_here(index: dict[str, Any]) -> None:
    assert index["bindings"] == {
        "poll_audit_feed": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%POLL_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "hunt_audit_events": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%HUNTING_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "resume_responses": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%RESUME_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "sweep_bypass_state": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%SWEEP_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "gather_evidence": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%EVIDENCE_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "read_posture": [
            {
                "direction": "IN",
                "type": "timerTrigger",
                "name": "timer",
                "schedule": "%POSTURE_SCHEDULE%",
                "runOnStartup": False,
                "useMonitor": True,
            }
        ],
        "receive_alert": [{"direction": "IN", "type": "eventGridTrigger", "name": "event"}],
        "receive_queued_alert": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%ALERTS_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "record_exchange_result": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%EXCHANGE_RESULTS_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "record_exchange_read": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%EXCHANGE_READ_RESULTS_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "carry_out_decision": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%DECISIONS_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "send_notifications": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%NOTIFICATIONS_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "carry_out_console_decision": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "message",
                "queueName": "%DECISIONS_CONSOLE_QUEUE%",
                "connection": "ResponderStorage",
            }
        ],
        "health": [
            {
                "direction": "IN",
                "type": "httpTrigger",
                "name": "request",
                "methods": ["GET"],
                "authLevel": "ANONYMOUS",
                "route": "health",
            },
            {"direction": "OUT", "type": "http", "name": "$return"},
        ],
    }


def test_importing_and_indexing_needs_no_setting_and_loads_no_client(index: dict[str, Any]) -> None:
    assert set(index["modules"]) & HEAVY == set()


def test_the_app_knows_only_bootstrap() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text(encoding="utf-8"))
    imported = {
        f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("bypass_responder")
        for name in node.names
    }

    assert imported == {"bypass_responder.bootstrap"}


def test_a_decision_has_the_channel_of_its_queue() -> None:
    source = (ROOT / "function_app.py").read_text(encoding="utf-8")
    channels = re.findall(
        r'queue_name="%(DECISIONS\w*)%".*?carry_out_decision\(message.get_body\(\), "(\w+)"\)', source, re.DOTALL
    )

    assert dict(channels) == {"DECISIONS_QUEUE": "bypassctl", "DECISIONS_CONSOLE_QUEUE": "console"}


CONSOLE = ROOT / "src" / "console_app"
CONSOLE_INDEX = """
import json, sys
sys.path.insert(0, sys.argv[1])
import function_app
[function] = function_app.app.get_functions()
bindings = [json.loads(text) for text in function.get_raw_bindings()]
print(json.dumps({"bindings": bindings, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def console_index() -> dict[str, Any]:
    """The one function of the console, and the modules that indexing it loads."""
    command = [sys.executable, "-c", CONSOLE_INDEX, str(CONSOLE)]
    ended = subprocess.run(command, capture_output=True, check=True, env={"PATH": os.environ["PATH"]})
    indexed: dict[str, Any] = json.loads(ended.stdout)
    return indexed


def test_the_console_takes_every_address(console_index: dict[str, Any]) -> None:
    [trigger, _] = console_index["bindings"]

    assert (trigger["type"], trigger["route"], trigger["authLevel"]) == ("httpTrigger", "{*path}", "ANONYMOUS")
    assert json.loads((CONSOLE / "host.json").read_text())["extensions"]["http"]["routePrefix"] == ""


def test_importing_the_console_loads_no_web_framework_and_no_client(console_index: dict[str, Any]) -> None:
    assert set(console_index["modules"]) & (HEAVY | {"jinja2"}) == set()


def test_the_console_pins_what_the_responder_pins() -> None:
    def pins(path: Path) -> set[str]:
        return {line for line in path.read_text(encoding="utf-8").splitlines() if "==" in line}

    console = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["console"]

    assert pins(CONSOLE / "requirements.txt") - pins(ROOT / "requirements.txt") == set(console)

"""The function app under the library that Azure's Python worker loads.

The indexing and the decoding are the same.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programs import report

ROOT = Path(__file__).resolve().parents[3]
CASE = Path(__file__).with_name("case.py")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("azure_functions_runtime") is None,
    reason="the worker's library needs Python 3.13: `make test PYTHON=python3.13`",
)


def run(**settings: str) -> dict[str, Any]:
    """What the worker indexed, and what came of invoking every function once.

    The environment has no other setting than ``settings``.
    """
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")} | settings
    command = [sys.executable, str(CASE), str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr
    return report(ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    return run()


def test_the_worker_indexes_what_the_library_declares(seen: dict[str, Any], index: dict[str, Any]) -> None:
    assert seen["bindings"] == index["bindings"]


@pytest.mark.parametrize("name", ["poll_audit_feed", "record_exchange_result", "health"])
def test_an_invocation_succeeds(seen: dict[str, Any], name: str) -> None:
    assert seen["outcomes"][name]["succeeded"], seen["outcomes"][name]["error"]


def test_every_trigger_reaches_its_use_case(seen: dict[str, Any]) -> None:
    assert sorted(seen["reached"]) == [
        ["poll_audit_feed"],
        ["record_exchange_result", '{"command_id": "c-1"}'],
        ["resume_responses"],
    ]


def test_an_error_of_the_workflow_fails_the_invocation(seen: dict[str, Any]) -> None:
    outcome = seen["outcomes"]["resume_responses"]

    assert (outcome["succeeded"], outcome["error"]) == (False, "OSError('storage is away')")


def test_health_reports_nothing_but_up(seen: dict[str, Any]) -> None:
    assert seen["outcomes"]["health"]["body"] == "up"


def test_without_the_setting_the_host_sends_the_lines(seen: dict[str, Any]) -> None:
    assert "WorkerOpenTelemetryEnabled" not in seen["capabilities"]


def test_with_the_setting_the_host_leaves_the_lines_to_the_app() -> None:
    traced = run(PYTHON_ENABLE_OPENTELEMETRY="true")

    assert traced["capabilities"]["WorkerOpenTelemetryEnabled"] == "true"
    assert traced["outcomes"]["poll_audit_feed"]["succeeded"]

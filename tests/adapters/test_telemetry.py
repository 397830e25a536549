"""The real SDK of Azure Monitor, as the app configures it, against a stand-in for ingestion.

The stand-in listens on loopback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.ingestion import Ingestion, ingesting
from tests.programs import report

ROOT = Path(__file__).resolve().parents[2]
LINES = 3000
"""More than the SDK's own queue of 2,048 holds."""


def run(settings: dict[str, str], lines: int, *more: str) -> tuple[dict[str, Any], str]:
    """What a worker process reports, and what it said on stderr."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path} | settings
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("telemetry_child.py")), str(lines), *more],
        capture_output=True, text=True, check=False, env=environment, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return report(ended.stdout, ended.stderr), ended.stderr


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Ingestion:
    """What arrived of a burst of lines, in a trace that is not sampled."""
    with ingesting(tmp_path_factory.mktemp("ingestion")) as (server, settings):
        run(settings | {"WEBSITE_SITE_NAME": "responder-app", "FUNCTIONS_WORKER_RUNTIME": "python"}, LINES)
        return server


def data(server: Ingestion, message: str) -> list[dict[str, Any]]:
    return [it["data"]["baseData"] for it in server.envelopes if it["data"]["baseData"].get("message") == message]


def test_every_decision_arrives_though_its_trace_is_not_sampled(sent: Ingestion) -> None:
    arrived = [int(it["properties"]["seq"]) for it in data(sent, "decided")]

    assert sorted(arrived) == list(range(1, LINES + 1))


def test_a_line_arrives_as_its_word_with_its_fields(sent: Ingestion) -> None:
    properties = data(sent, "decided")[0]["properties"]

    assert {name: properties[name] for name in ("event", "incident_id", "target", "verdict", "author")} == {
        "event": "decided",
        "incident_id": "20260302-a",
        "target": "aaaaaaaa-0000-4000-8000-000000000001",
        "verdict": "violation",
        "author": "responder",
    }


def test_a_line_arrives_in_the_table_of_traces(sent: Ingestion) -> None:
    assert {(it["name"], it["data"]["baseType"]) for it in sent.envelopes} == {
        ("Microsoft.ApplicationInsights.Message", "MessageData")
    }


def test_a_critical_note_arrives_as_an_error(sent: Ingestion) -> None:
    (item,) = data(sent, "notification")

    assert (item["severityLevel"], item["properties"]["about"]) == (3, "contained")


def test_numbers_arrive_as_text(sent: Ingestion) -> None:
    (item,) = data(sent, "resumed")

    assert item["properties"]["targets"] == "3"


@pytest.mark.parametrize("kept", ["@contoso", "eyJ0", "read mail", "Contained: alex"])
def test_no_name_no_token_and_no_content_arrives(sent: Ingestion, kept: str) -> None:
    assert kept not in json.dumps(sent.envelopes)


def test_the_lines_of_other_libraries_stay_away(sent: Ingestion) -> None:
    assert "somebody else's line" not in json.dumps(sent.envelopes)


def test_lines_carry_the_apps_name_and_the_trace_of_the_run(sent: Ingestion) -> None:
    tags = {(it["tags"]["ai.cloud.role"], it["tags"]["ai.operation.id"]) for it in sent.envelopes}

    assert tags == {("responder-app", "a" * 32)}


def test_the_managed_identity_signs_in_and_no_key_does(sent: Ingestion) -> None:
    assert sent.authorizations == {"Bearer token"}
    assert set(sent.clients) == {"00000000-0000-4000-8000-000000000002"}


def test_a_batch_that_is_refused_for_the_moment_is_sent_again(tmp_path: Path) -> None:
    with ingesting(tmp_path) as (server, settings):
        server.statuses = [503]
        run(settings, 5)

    assert len(data(server, "decided")) == 5


def test_ingestion_that_hangs_holds_up_no_run_and_no_other_thread(tmp_path: Path) -> None:
    with ingesting(tmp_path) as (server, settings):
        server.answers.clear()
        report, _ = run(settings, 5, "hang")
        server.answers.set()

    assert report["seconds"] < 5


def test_without_a_connection_string_nothing_is_sent_and_nothing_loaded() -> None:
    report, said = run({"APPLICATIONINSIGHTS_CONNECTION_STRING": " "}, 1)

    assert report == {"started": False, "loaded": []}
    assert "opentelemetry" not in said


def test_a_connection_string_that_cannot_be_read_is_reported_and_stops_nothing() -> None:
    report, said = run({"APPLICATIONINSIGHTS_CONNECTION_STRING": "nonsense"}, 1)

    assert not report["started"]
    assert "no line goes to Application Insights: " in said

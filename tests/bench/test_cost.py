"""The monthly cost follows from the counted calls; the document has the script's tables."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cost, idle_day
from sandbox.azurite import missing
from sandbox.tenant.server import environment

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")


def template(name: str) -> str:
    """A file of the infrastructure."""
    return (ROOT / "infra" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    """One quiet day, counted again; the environment is restored afterwards."""
    if problem := missing():
        pytest.skip(problem)
    with pytest.MonkeyPatch.context() as patch:
        for name in environment(""):
            patch.setenv(name, "restored afterwards")
        return idle_day.measure()


@pytest.mark.parametrize("what", cost.CALLS)
def test_the_calls_that_are_charged_are_about_those_that_were_counted(what: str, counted: dict[str, float]) -> None:
    """The count may differ by one call or by a quarter; beyond that, the document is outdated.

    A smaller difference does not change the bill.
    """
    found = {service: counted.get(f"{what}_{service}_calls", 0) for service in idle_day.SERVICES}

    assert found == pytest.approx(cost.CALLS[what], abs=1, rel=0.25)


@pytest.mark.parametrize("what", cost.LINES)
def test_the_lines_that_are_charged_are_about_those_that_were_counted(what: str, counted: dict[str, float]) -> None:
    assert counted.get(f"{what}_lines", 0) == pytest.approx(cost.LINES[what], abs=1, rel=0.25)


@pytest.mark.parametrize("what", cost.WRITES)
def test_the_writes_that_are_logged_are_about_those_that_were_counted(what: str, counted: dict[str, float]) -> None:
    assert counted[f"{what}_logged_writes"] == pytest.approx(cost.WRITES[what], abs=1, rel=0.25)


@pytest.mark.parametrize("table", [cost.counts_table(), cost.bill_table()])
def test_the_document_shows_what_the_script_prints(table: str) -> None:
    assert table in DOCUMENT


def test_every_queue_that_starts_a_function_is_polled() -> None:
    responder = (ROOT / "function_app.py").read_text(encoding="utf-8").count("queue_trigger(")
    worker = list((ROOT / "src" / "exchange_worker").glob("*/function.json"))

    assert responder + len(worker) == cost.QUEUES


def test_the_evidence_of_an_incident_is_less_than_a_cent() -> None:
    calls = cost.CALLS["evidence_round"]
    dollars = calls["table"] * cost.TABLE_CALL + calls["queue"] * cost.QUEUE_CALL + calls["blob"] * cost.BLOB_WRITE

    assert 3 * dollars < 0.01


def test_half_the_polls_take_half_the_executions() -> None:
    slower = replace(cost.DEFAULT, poll_minutes=2)

    assert slower.runs["poll"] == cost.DEFAULT.runs["poll"] / 2


def test_a_second_more_of_each_sweep_is_charged_with_the_workers_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cost.gb_seconds(cost.DEFAULT)

    monkeypatch.setattr(cost, "SWEEP_SECONDS", cost.SWEEP_SECONDS + 1)

    assert cost.gb_seconds(cost.DEFAULT) - before == pytest.approx(cost.DEFAULT.runs["sweep_plan"] * cost.WORKER_GB)


def test_what_is_within_the_free_grant_is_not_charged() -> None:
    rare = replace(cost.DEFAULT, poll_minutes=60, resume_minutes=60, sweep_minutes=600)

    assert cost.bill(rare)["execution"] == 0


def test_only_a_private_network_has_endpoints_to_pay() -> None:
    both = [cost.bill(replace(cost.DEFAULT, private=private))["private network"] for private in (False, True)]

    endpoints, zones = cost.PRIVATE_ENDPOINTS * cost.PRIVATE_ENDPOINT, cost.PRIVATE_ZONES * cost.PRIVATE_ZONE
    assert both == [0, endpoints + zones]


def test_every_alert_rule_is_charged_by_its_evaluation_interval() -> None:
    rules = template("modules/alerts.bicep")
    minutes = [int(found) for found in re.findall(r"^\s+frequency: 'PT(\d+)M'$", rules, re.MULTILINE)]

    assert Counter(minutes) == cost.ALERT_RULES


@pytest.mark.parametrize(
    ("parameter", "default"),
    [
        ("pollSchedule", "'0 * * * * *'"),
        ("resumeSchedule", "'30 * * * * *'"),
        ("sweepSchedule", "'0 */15 * * * *'"),
        ("evidenceSchedule", "'15 */5 * * * *'"),
        ("postureSchedule", "'0 */10 * * * *'"),
        ("responderMemory", f"{cost.DEFAULT.responder_gb * 1024:.0f}"),
        ("workerMemory", f"{cost.WORKER_GB * 1024:.0f}"),
        ("keepStorageLogs", "true"),
    ],
)
def test_the_default_is_what_the_template_makes_by_default(parameter: str, default: str) -> None:
    found = re.search(rf"^param {parameter} [^=]*= (.+)$", template("main.bicep"), re.MULTILINE)

    assert found is not None
    assert found[1] == default

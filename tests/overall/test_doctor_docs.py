"""The runbook explains each problem that doctor reports; doctor names the roles that Bicep grants."""

from __future__ import annotations

import re
from pathlib import Path

from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES
from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.rights import storage_role

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "bypass_responder"
FILES = [*(SOURCE / "operating" / "doctor").glob("*.py"), SOURCE / "cli" / "doctor.py"]
ROLES = (ROOT / "infra" / "modules" / "roles.bicep").read_text(encoding="utf-8")
QUEUES = {
    "alerts": "alerts",
    "decisions": "decisions",
    "notifications": "notifications",
    "consoleDecisions": "decisions-console",
    "results": "exchange-results",
    "readResults": "exchange-read-results",
    "reads": "exchange-reads",
    "commands": "exchange-commands",
    "checks": "exchange-checks",
    "sweeps": "exchange-sweeps",
}


def problems() -> set[str]:
    """Every id that the code gives a problem, those of health alerts apart."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    return set(re.findall(r'Problem\(\s*"(\w+)"', text)) | set(re.findall(r'^SETTING = "(\w+)"', text, re.MULTILINE))


def test_every_problem_is_in_the_runbook_once() -> None:
    section = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").split("\n## Problems that doctor reports\n")[1]
    cells = [line.split(" | ")[0] for line in section.split("\n## ")[0].splitlines() if line.startswith("| `")]
    named = [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]

    assert len(named) > 20
    assert sorted(named) == sorted(problems())


def test_no_problem_has_the_name_of_another_alert() -> None:
    same = problems() & set(ADVICE)

    assert same == {"subscription_missing", "subscription_disabled"}


def given(kind: str) -> list[tuple[str, str]]:
    """Role and place of each line of roles.bicep that is about the responder."""
    block = ROLES.split(f"var on{kind} given[]")[1].split("\n)\n")[0]
    names = dict(re.findall(r"(\w+): '[0-9a-f-]{36}' // (.+)", ROLES))
    lines = re.findall(r"toApp\(responder, roles\.(\w+), \[([^\]]*)\]\)", block)
    return [(names[role], place) for role, places in lines for place in re.findall(r"[^,\s]+", places)]


def test_the_role_that_doctor_names_for_a_table_is_the_one_that_is_given() -> None:
    expected = {(storage_role("table", name), f"'{name}'") for name in TABLES}

    assert set(given("Tables")) == expected


def test_the_role_that_doctor_names_for_a_container_is_the_one_that_is_given() -> None:
    named = {
        "evidence": "evidence",
        "log-checkpoints": "checkpoints",
        "sweeps": "sweeps",
        "reads": "reads",
        "plans": "plans",
        "dead-letters": "deadLetters",
    }
    expected = {(storage_role("container", name), f"containers.{named[name]}") for name in CONTAINERS}

    assert set(given("Containers")) == expected


def test_the_role_that_doctor_names_for_a_queue_is_the_one_that_is_given() -> None:
    expected = {(storage_role("queue", name), f"queues.{symbol}") for symbol, name in QUEUES.items()}

    assert {line for line in given("Queues") if line[1].startswith("queues.")} == expected


def test_a_poison_queue_is_drained_by_its_own_role() -> None:
    role = storage_role("queue", "alerts-poison")

    assert role == "Storage Queue Data Message Processor"
    assert "toApp(responder, roles.queueMessageProcessor, map(queueNames, queue => poison(queue)))" in ROLES

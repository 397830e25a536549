"""Who changed what differs from the read before, as far as records say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.change import Actor, Outcome
from bypass_responder.model.health import Tampering
from bypass_responder.model.technique import Technique
from bypass_responder.posture.authors import PlannedSettings
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.mailbox import Audit, Mailbox, settings_of
from bypass_responder.posture.read import TenantRead
from tests.case.test_tampering_state import changed
from tests.posture.mailboxes import ON, OWNER, without
from tests.posture.test_tampered import DEFAULT, a_mailbox
from tests.sensing.builders import TARGET
from tests.tampering.family import ALEX, FAMILY
from tests.world import START

NOW = START + timedelta(days=1)
MALLORY = "mallory@contoso.onmicrosoft.com at 2026-03-02 09:00:00Z"


def texts(after: Audit, *records: Tampering, mailbox: Mailbox | None = None) -> list[str]:
    """What the one row of a comparison says of its changes."""
    read = TenantRead("test", NOW, [(mailbox or a_mailbox())._replace(audit=after)], [], ON)
    [row] = compare(read, measures(), before=Before(START, [a_mailbox()]), records=records).rows
    return [str(each) for each in row.changed]


def record(technique: Technique = Technique.ACTION_LIST, **fields: Any) -> Tampering:
    return changed(FAMILY[technique].positive, actor=Actor(user_id="mallory@contoso.onmicrosoft.com"), **fields)


LESS = DEFAULT._replace(default_set=("Admin", "Delegate"), owner=without(OWNER, "Update"))
CHANGED = [
    (Technique.ACTION_LIST, LESS, ["DefaultAuditSet -Owner", "AuditOwner -Update"]),
    (Technique.AGE_LIMIT, DEFAULT._replace(age_limit="1.00:00:00"), ["AuditLogAgeLimit 90.00:00:00 → 1.00:00:00"]),
    (Technique.AUDIT_ENABLED, DEFAULT._replace(enabled=False), ["AuditEnabled True → False"]),
]


@pytest.mark.parametrize(("technique", "after", "said"), CHANGED)
@pytest.mark.parametrize("target", [ALEX, ALEX.upper(), TARGET, f"contoso.onmicrosoft.com/{ALEX}"])
def test_a_record_names_who_changed_it(technique: Technique, after: Audit, said: list[str], target: str) -> None:
    assert texts(after, record(technique, target=target)) == [f"{each}, by {MALLORY}" for each in said]


def test_of_several_records_the_last_one_counts() -> None:
    later = record(occurred_at=START + timedelta(hours=1)).model_copy(update={"actor": Actor(user_id="eve")})

    assert texts(LESS, later, record())[0].endswith("by eve at 2026-03-02 10:00:00Z")


@pytest.mark.parametrize(
    "given",
    [
        record(target="another@contoso.com", object_id_text="another@contoso.com"),
        record(target="", object_id_text=""),
        record(outcome=Outcome.FAILED),
        record(Technique.AGE_LIMIT),
        record(Technique.LICENSE),
    ],
    ids=["another mailbox", "no mailbox", "failed", "another property", "a license"],
)
def test_a_record_of_something_else_names_nobody(given: Tampering) -> None:
    assert texts(LESS, given) == ["DefaultAuditSet -Owner", "AuditOwner -Update"]


def test_a_display_name_is_no_name_of_a_mailbox() -> None:
    mailbox = a_mailbox()._replace(display_name="ceo")

    assert texts(LESS, record(target="ceo", object_id_text="ceo"), mailbox=mailbox) == [
        "DefaultAuditSet -Owner",
        "AuditOwner -Update",
    ]


def test_without_records_the_comparison_is_as_it_was() -> None:
    assert texts(LESS) == ["DefaultAuditSet -Owner", "AuditOwner -Update"]


EVE = {"actor": Actor(user_id="eve"), "occurred_at": START + timedelta(hours=9)}
HOSTED = "EURPR04A009.PROD.OUTLOOK.COM/Hosted/contoso.onmicrosoft.com/"


def test_the_service_names_the_mailbox_whatever_was_typed() -> None:
    """An alias names no mailbox, and may become the address of another."""
    later = record(target="alias", object_id_text=f"{HOSTED}{ALEX}").model_copy(update=EVE)

    assert texts(LESS, record(), later)[0].endswith("by eve at 2026-03-02 18:00:00Z")


def test_a_record_of_another_mailbox_counts_not_by_what_was_typed() -> None:
    another = f"{HOSTED}99999999-0000-4000-8000-000000000000"

    assert texts(LESS, record(target=ALEX, object_id_text=another)) == ["DefaultAuditSet -Owner", "AuditOwner -Update"]


def test_where_a_later_record_may_be_of_any_mailbox_nobody_is_named() -> None:
    later = record(target="alias", object_id_text="Alex A").model_copy(update=EVE)

    assert texts(LESS, record(), later) == ["DefaultAuditSet -Owner", "AuditOwner -Update"]
    assert texts(LESS, record(occurred_at=START + timedelta(hours=10)), later)[0].endswith("19:00:00Z")


def test_of_two_records_of_one_moment_that_may_be_of_any_mailbox_nobody_is_named() -> None:
    other = record(target="alias", object_id_text="Alex A")

    assert texts(LESS, record(), other) == ["DefaultAuditSet -Owner", "AuditOwner -Update"]


@pytest.mark.parametrize(("settings", "by"), [(LESS, "plan run 1: CHG-1"), (DEFAULT, "")], ids=["its own", "another's"])
def test_a_run_is_named_only_where_the_mailbox_still_has_what_it_set(settings: Audit, by: str) -> None:
    mailbox = a_mailbox()
    read = TenantRead("test", NOW, [mailbox._replace(audit=LESS)], [], ON)
    planned = {mailbox.object_id or "": PlannedSettings(settings_of(settings), "plan run 1: CHG-1")}
    [row] = compare(read, measures(), before=Before(START, [mailbox]), planned=planned).rows

    assert {(each.by, each.planned) for each in row.changed} == {(by, bool(by))}

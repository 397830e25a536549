"""A record belongs to a plan if it weakens nothing but what the plan, or its undo, asked for."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings
from bypass_responder.model.plan_run import MailboxChange
from bypass_responder.model.record import AuditRecord
from bypass_responder.posture.planned import asks_for
from bypass_responder.sensing.records.reader import read_records
from tests.case.plans import PINNED, TO_DEFAULT, asked
from tests.tampering.family import ALEX, ran
from tests.tampering.sensors import ours

GUID = "99999999-0000-4000-8000-000000000001"
BEFORE = AuditSettings(
    enabled=False, age_limit="30.00:00:00", default_set=("Admin", "Delegate"), owner=("Update", "HardDelete")
)


def an_undo(**before: Any) -> MailboxChange:
    return asked(change=None, before=BEFORE.model_copy(update=before), exchange_guid=GUID)


def a_record(identity: str = GUID, **parameters: str) -> AuditRecord:
    raw = ours(ran("Set-Mailbox", "alex", Identity=identity, **parameters))
    [record] = read_records(BytesIO(json.dumps(raw).encode()), source="")
    assert isinstance(record, AuditRecord)
    return record


UNDONE = {
    "the list as it was": {"AuditOwner": "Update;HardDelete"},
    "the list in another order and case": {"AuditOwner": "harddelete, update"},
    "a longer list": {"AuditOwner": "Update;HardDelete;Send"},
    "an action taken out that it did not have": {"AuditOwner": "-Send"},
    "the limit as it was": {"AuditLogAgeLimit": "30.00:00:00"},
    "auditing off as it was": {"AuditEnabled": "$false"},
    "all of it": {"AuditOwner": "Update;HardDelete", "AuditLogAgeLimit": "30.00:00:00", "AuditEnabled": "$false"},
}
NOT_ASKED = {
    "an action that it had": {"AuditOwner": "Update"},
    "the whole list": {"AuditOwner": "None"},
    "an action taken out": {"AuditOwner": "-HardDelete"},
    "the list of another logon type": {"AuditAdmin": "Update"},
    "another limit": {"AuditLogAgeLimit": "29.00:00:00"},
    "a list as it was, and another one": {"AuditOwner": "Update;HardDelete", "AuditDelegate": "-SendAs"},
    "a list as it was, and another limit": {"AuditOwner": "Update;HardDelete", "AuditLogAgeLimit": "00:00:00"},
}


@pytest.mark.parametrize("parameters", UNDONE.values(), ids=UNDONE)
def test_an_undo_asks_for_what_was_recorded(parameters: dict[str, str]) -> None:
    assert asks_for(an_undo(), a_record(**parameters))


@pytest.mark.parametrize("parameters", NOT_ASKED.values(), ids=NOT_ASKED)
def test_it_asks_for_nothing_else(parameters: dict[str, str]) -> None:
    assert not asks_for(an_undo(), a_record(**parameters))


def test_it_does_not_ask_for_auditing_off_where_it_was_on() -> None:
    assert not asks_for(an_undo(enabled=True), a_record(AuditEnabled="$false"))
    assert not asks_for(an_undo(age_limit=None), a_record(AuditLogAgeLimit="1.00:00:00"))


@pytest.mark.parametrize("identity", [ALEX, GUID.replace("1", "2"), "", f"{GUID} and more"])
def test_it_asks_for_nothing_of_another_mailbox(identity: str) -> None:
    assert not asks_for(an_undo(), a_record(identity, AuditOwner="Update;HardDelete"))


def test_nothing_is_asked_for_before_the_mailbox_was_recorded() -> None:
    record = a_record(AuditOwner="Update;HardDelete")

    assert not asks_for(asked(change=None, before=None, exchange_guid=GUID), record)
    assert not asks_for(asked(change=None, before=BEFORE, exchange_guid=None), record)
    by_name = a_record(ALEX, AuditOwner="Update;Send;HardDelete")
    assert not asks_for(asked(change=None, before=BEFORE, exchange_guid=None), by_name)


def test_a_longer_limit_that_is_below_the_default_is_asked_for() -> None:
    change = asked(before=BEFORE, change=AuditChange(age_limit_days=60), exchange_guid=GUID)

    assert asks_for(change, a_record(AuditLogAgeLimit="60.00:00:00"))
    assert not asks_for(change, a_record(AuditLogAgeLimit="30.00:00:00"))


def test_a_change_to_the_default_set_asks_for_no_shorter_list() -> None:
    """Its list is Microsoft's, and not known before it is read back."""
    change = asked(before=PINNED, change=TO_DEFAULT, exchange_guid=GUID)

    assert not asks_for(change, a_record(AuditOwner="-Send"))

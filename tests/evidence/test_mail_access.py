from __future__ import annotations

from typing import Any

from bypass_responder.evidence.mail_access import IN_THE_DARK, NOTE, OF_ACTOR, SYNC, THROTTLED, answer_of
from bypass_responder.model.question import Empty, Found, Role
from tests.evidence.questions import ACCOUNT, a_question, at


def a_record(hours: float = -2, *, how: str = "Bind", throttled: str = "False", **changes: Any) -> dict[str, Any]:
    return {
        "Id": str(hours),
        "CreationTime": at(hours).rstrip("Z"),
        "MailboxOwnerUPN": ACCOUNT.user_principal_name,
        "ClientIPAddress": "198.51.100.7",
        "OperationProperties": [
            {"Name": "MailAccessType", "Value": how},
            {"Name": "IsThrottled", "Value": throttled},
        ],
    } | changes


def found(*records: dict[str, Any]) -> Found:
    answer = answer_of(records, a_question())
    assert isinstance(answer, Found)
    return answer


def test_single_messages_are_one_item_with_their_number() -> None:
    answer = found(a_record(-3), a_record(-2))

    assert [(item.detail["records"], item.notable) for item in answer.items] == [("2", None)]


def test_a_sync_counts_as_all_read() -> None:
    assert found(a_record(how="Sync")).items[0].notable == SYNC


def test_throttling_says_that_records_are_missing() -> None:
    assert found(a_record(throttled="True")).items[0].notable == THROTTLED


def test_a_mailbox_of_someone_else_is_named() -> None:
    answer = found(a_record(MailboxOwnerUPN="ceo@contoso.onmicrosoft.com"))

    assert answer.items[0].notable == "another's mailbox: ceo@contoso.onmicrosoft.com"


def test_a_record_in_the_blind_window_was_not_hidden() -> None:
    answer = found(a_record(0.5))

    assert (answer.items[0].notable, answer.items[0].detail["in the blind window"]) == (IN_THE_DARK[Role.TARGET], "1")


def test_nothing_says_what_it_does_not_say() -> None:
    assert answer_of([], a_question()) == Empty(note=NOTE)


def test_the_actor_is_not_the_one_who_was_hidden() -> None:
    answer = answer_of([a_record(0.5)], a_question(role=Role.ACTOR))

    assert isinstance(answer, Found)
    assert (answer.note, answer.items[0].notable) == (OF_ACTOR, IN_THE_DARK[Role.ACTOR])

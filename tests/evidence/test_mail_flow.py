from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.evidence.mail_flow import NOTE, flow_of
from bypass_responder.model.question import Found
from tests.evidence.questions import ACCOUNT, a_question, at

ME = ACCOUNT.user_principal_name


def a_message(sender: str, recipient: str, hours: float = 0.5, **changes: Any) -> dict[str, Any]:
    common = {"senderAddress": sender, "recipientAddress": recipient, "receivedDateTime": at(hours)}
    return common | {"status": "delivered", "subject": "Salaries"} | changes


def found(*messages: dict[str, Any], time: str = "receivedDateTime", **known: Any) -> Found:
    answer = flow_of(messages, a_question(**known), time=time)
    assert isinstance(answer, Found)
    return answer


def test_what_was_sent_outside_in_the_blind_window_is_notable() -> None:
    answer = found(a_message(ME, "x@fabrikam.com"), a_message(ME, "y@fabrikam.com", 20))

    assert (answer.items[0].what, answer.items[0].detail["domain"]) == ("mail sent outside", "fabrikam.com")
    assert answer.items[0].notable == "sent outside in the blind window: 1"


def test_directions_are_apart() -> None:
    answer = found(a_message(ME, "bob@contoso.onmicrosoft.com"), a_message("x@fabrikam.com", ME))

    assert {item.what for item in answer.items} == {"mail sent", "mail received from outside"}


def test_it_is_counts_only() -> None:
    answer = found(a_message(ME, "x@fabrikam.com"))

    assert "subject" not in answer.raw[0]
    assert answer.note == NOTE


def test_rows_of_defender_are_read_the_same_way() -> None:
    row = {
        "Timestamp": at(0.5),
        "EmailDirection": "Outbound",
        "SenderFromAddress": ME,
        "RecipientEmailAddress": "x@fabrikam.com",
        "ThreatTypes": "Phish",
    }

    assert found(row, time="Timestamp").items[0].notable == "sent outside in the blind window: 1; threat: Phish"


@pytest.mark.parametrize(
    ("sender", "recipient", "what"),
    [
        ("alex@contoso.com", "bob@contoso.com", "mail sent"),
        ("ALEX@contoso.com", "x@fabrikam.com", "mail sent outside"),
        (ME, "bob@contoso.com", "mail sent"),
        ("bob@contoso.com", ME, "mail received"),
        ("x@fabrikam.com", "alex@contoso.com", "mail received from outside"),
    ],
)
def test_every_address_of_the_account_is_its_own_and_its_domain_at_home(sender: str, recipient: str, what: str) -> None:
    assert found(a_message(sender, recipient), addresses=("alex@contoso.com",)).items[0].what == what


@pytest.mark.parametrize(
    ("sender", "direction", "what"),
    [(ACCOUNT.object_id, "Intra-org", "mail sent"), ("another", "Intra-org", "mail received")],
)
def test_a_row_of_defender_needs_no_address_to_be_one_within_the_organization(
    sender: str, direction: str, what: str
) -> None:
    row = {
        "Timestamp": at(0.5),
        "EmailDirection": direction,
        "SenderObjectId": sender,
        "SenderFromAddress": "alex@contoso.com",
        "RecipientEmailAddress": "bob@contoso.com",
    }
    item = found(row, time="Timestamp").items[0]

    assert (item.what, item.notable) == (what, None)

"""What the Exchange worker reads of a mailbox, as evidence."""

from __future__ import annotations

import gzip
import hashlib
import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from bypass_responder.evidence.mailbox_reads import ANSWERED_WITHIN, SOURCES, MailboxReads
from bypass_responder.model.account_read import AccountRead
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.model.question import Answer, AskedAccount, Empty, Found, Pending, Unavailable
from tests.evidence.questions import a_question
from tests.fakes import FakeExchangeReads
from tests.world import ALEX, START, TENANT, exchange_guid


class Worker:
    """The worker's queue, with answers that a test gives."""

    def __init__(self, source: str) -> None:
        self.now: datetime = START
        self.reads = FakeExchangeReads()
        ids = (f"00000000-0000-4000-8000-{number:012d}" for number in itertools.count(1))
        sections, judge = SOURCES[source]
        self.source = MailboxReads(
            self.reads, lambda: self.now, lambda: next(ids), tenant_id=TENANT, sections=sections, judge=judge
        )

    async def asks(self, memo: str | None = None) -> Answer:
        return await self.source.ask(a_question(), memo)

    async def answers(self, **fields: Any) -> Answer:
        """Ask, let the worker answer, and ask again."""
        pending = await self.asks()
        assert isinstance(pending, Pending)
        given = {"outcome": ReadOutcome.READ, "complete": True} | fields
        await self.reads.record(
            ReadResult(command_id=pending.memo, kind=ReadKind.ACCOUNT, tenant_id=TENANT, started_at=START, **given),
            START,
        )
        return await self.asks(pending.memo)

    async def reads_that(self, **sections: Any) -> Answer:
        read = {"object_id": ALEX, "exchange_guid": exchange_guid(ALEX)} | sections
        packed = gzip.compress(AccountRead.model_validate(read).model_dump_json().encode() + b"\n")
        self.reads.blobs["answer.gz"] = packed
        return await self.answers(blob="answer.gz", sha256=hashlib.sha256(packed).hexdigest(), rows=1)


def a_rule(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "name": ".", "enabled": True, "hidden": False} | fields


async def notable(source: str, **sections: Any) -> list[str | None]:
    answer = await Worker(source).reads_that(**sections)
    assert isinstance(answer, Found)
    return [item.notable for item in answer.items]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"redirect_to": ["drop@example.net"]}, "sends mail outside: drop@example.net"),
        ({"forward_to": ['"x" [SMTP:drop@example.net]']}, "sends mail outside: \"'x' [SMTP:drop@example.net]\""),
        ({"forward_to": ['"x" [EX:/o=Labs/cn=contact]']}, "sends mail outside: \"'x' [EX:/o=Labs/cn=contact]\""),
        ({"redirect_to": ["x'@evil.example"]}, 'sends mail outside: "x\'@evil.example"'),
        ({"forward_to": ['"a b"@evil.example']}, "sends mail outside: \"'a b'@evil.example\""),
        (
            {"forward_to": ['"x@contoso.onmicrosoft.com"@evil.example']},
            "sends mail outside: \"'x@contoso.onmicrosoft.com'@evil.example\"",
        ),
        (
            {"forward_to": ['"bob@contoso.onmicrosoft.com" [EX:/o=Labs/cn=x]']},
            "sends mail outside: \"'bob@contoso.onmicrosoft.com' [EX:/o=Labs/cn=x]\"",
        ),
        ({"forward_to": ['"Bob; the other" [SMTP:bob@contoso.onmicrosoft.com]']}, None),
        ({"move_to": "RSS Feeds"}, 'moves mail to "rss feeds"'),
        ({"move_to": "alex:\\Inbox\\Archive"}, "moves mail to archive"),
        ({"move_to": "Projects", "mark_as_read": True}, "moves mail and marks it as read"),
        ({"move_to": "Projects"}, None),
        ({"forward_to": ["blake@contoso.onmicrosoft.com"]}, None),
        ({"hidden": True, "move_to": "Projects"}, "hidden rule"),
        ({"hidden": True}, None),
        ({"delete": True}, "deletes mail"),
    ],
)
async def test_a_rule_is_notable_for_what_it_does(rule: dict[str, Any], reason: str | None) -> None:
    assert await notable("inbox_rules", inbox_rules={"items": [a_rule(**rule)], "total": 1}) == [reason]


async def test_no_rule_is_empty() -> None:
    assert await Worker("inbox_rules").reads_that(inbox_rules={"items": [], "total": 0}) == Empty()


async def test_what_could_not_be_read_is_never_empty() -> None:
    answer = await Worker("inbox_rules").reads_that(inbox_rules={"error": "Get-InboxRule is not permitted"})

    assert isinstance(answer, Unavailable)
    assert answer.reason == "Get-InboxRule is not permitted"


async def test_a_mailbox_that_the_account_can_open_is_found_with_what_was_not_enumerated() -> None:
    permission = {"mailbox": "finance@contoso.onmicrosoft.com", "trustee": "alex", "rights": ["FullAccess"]}
    section = {"items": [permission], "total": 1, "not_enumerated": ["user mailboxes"]}
    answer = await Worker("opens_mailboxes").reads_that(can_open=section)

    assert isinstance(answer, Found)
    assert (answer.items[0].detail["who"], answer.note) == (
        "finance@contoso.onmicrosoft.com",
        "Not enumerated: user mailboxes",
    )


async def test_what_was_not_enumerated_is_said_once_of_a_source() -> None:
    section = {"items": [], "total": 0, "not_enumerated": ["user mailboxes", "groups", "user mailboxes"]}
    answer = await Worker("opens_mailboxes").reads_that(can_open=section)

    assert isinstance(answer, Empty)
    assert answer.note == "Not enumerated: user mailboxes, groups"


async def test_a_folder_that_anybody_can_read_is_notable() -> None:
    permission = {"mailbox": "alex", "folder": "\\Inbox", "trustee": "Default", "rights": ["Reviewer"]}

    assert await notable("delegates", folder_permissions={"items": [permission], "total": 1}) == [
        "anybody has this right"
    ]


async def test_the_question_is_one_message_until_it_is_answered() -> None:
    worker = Worker("inbox_rules")
    first = await worker.asks()
    assert isinstance(first, Pending)
    second = await worker.asks(first.memo)

    assert isinstance(second, Pending)
    assert (second.memo, len(worker.reads.sent)) == (first.memo, 1)


async def test_a_question_without_an_answer_is_sent_again() -> None:
    worker = Worker("inbox_rules")
    first = await worker.asks()
    assert isinstance(first, Pending)
    worker.now += ANSWERED_WITHIN + timedelta(seconds=1)
    second = await worker.asks(first.memo)

    assert isinstance(second, Pending)
    assert second.memo != first.memo


async def test_a_transient_failure_of_the_worker_is_asked_again() -> None:
    answer = await Worker("inbox_rules").answers(
        outcome=ReadOutcome.FAILED, complete=False, error="timeout", error_class="transient"
    )

    assert isinstance(answer, Pending)


async def test_a_missing_right_of_the_worker_is_unavailable() -> None:
    answer = await Worker("inbox_rules").answers(
        outcome=ReadOutcome.FAILED, complete=False, error="no Get-InboxRule", error_class="permission"
    )

    assert isinstance(answer, Unavailable)
    assert answer.reason == "The Exchange worker could not read it: no Get-InboxRule"


async def test_an_account_without_a_mailbox_is_empty() -> None:
    answer = await Worker("inbox_rules").answers(outcome=ReadOutcome.NOT_FOUND, complete=False)

    assert isinstance(answer, Empty)


async def test_an_account_without_an_object_id_cannot_be_asked_about() -> None:
    worker = Worker("inbox_rules")
    account = AskedAccount(user_principal_name="mallory@contoso.onmicrosoft.com")
    answer = await worker.source.ask(a_question(account=account), None)

    assert isinstance(answer, Unavailable)

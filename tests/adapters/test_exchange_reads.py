"""The contract of ExchangeReads, for the fake that other tests trust and the adapter on Azurite.

The adapter uses a table, a queue and blobs.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.adapters.exchange_reads import StorageExchangeReads
from bypass_responder.adapters.storage_clients import StorageClients, create_storage
from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.exchange_read import (
    READ_COMMAND,
    ReadAccount,
    ReadKind,
    ReadOrganization,
    ReadOutcome,
    ReadResult,
)
from bypass_responder.ports import ExchangeReads
from tests.fakes import FakeExchangeReads

NOON = datetime(2026, 5, 20, 12, 0, 0, tzinfo=UTC)
TENANT = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"
IDS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(4)]


def a_question(number: int = 0, **given: Any) -> ReadAccount:
    fields = {"command_id": IDS[number], "tenant_id": TENANT, "object_id": IDS[3], "not_after": NOON}
    return ReadAccount(**(fields | given))


def an_answer(number: int = 0, **given: Any) -> ReadResult:
    fields: dict[str, Any] = {"command_id": IDS[number], "kind": ReadKind.ACCOUNT, "tenant_id": TENANT}
    outcome = {"outcome": ReadOutcome.READ, "started_at": NOON, "blob": "rows.jsonl.gz", "sha256": "0" * 64}
    return ReadResult(**(fields | outcome | given))


@pytest.fixture
async def real(clients: StorageClients, tenant_id: str) -> StorageExchangeReads:
    queue = f"reads-{tenant_id}"
    await create_storage(clients, queues=(queue,))
    return StorageExchangeReads(clients.tables, clients.queues, clients.blobs, tenant_id, queue=queue)


@pytest.fixture(params=["fake", "storage"])
def reads(request: pytest.FixtureRequest) -> ExchangeReads:
    if request.param == "fake":
        return FakeExchangeReads()
    real: StorageExchangeReads = request.getfixturevalue("real")
    return real


async def test_a_question_is_outstanding_until_it_is_answered(reads: ExchangeReads) -> None:
    await reads.ask(a_question(), NOON)
    asked = await reads.find(IDS[0])
    recorded = await reads.record(an_answer(), NOON + timedelta(minutes=1))
    answered = await reads.find(IDS[0])

    assert asked is not None
    assert (asked.command, asked.asked_at, asked.result) == (a_question(), NOON, None)
    assert recorded
    assert answered is not None
    assert (answered.result, answered.answered_at) == (an_answer(), NOON + timedelta(minutes=1))


async def test_a_question_that_was_never_asked_is_not_found(reads: ExchangeReads) -> None:
    assert await reads.find(IDS[0]) is None


async def test_an_answer_to_nothing_does_not_count(reads: ExchangeReads) -> None:
    assert not await reads.record(an_answer(), NOON)


async def test_an_answer_of_another_kind_does_not_count(reads: ExchangeReads) -> None:
    await reads.ask(a_question(), NOON)

    assert not await reads.record(an_answer(kind=ReadKind.ORGANIZATION), NOON)


async def test_an_answer_counts_once(reads: ExchangeReads) -> None:
    await reads.ask(a_question(), NOON)
    first = await reads.record(an_answer(), NOON)
    second = await reads.record(an_answer(rows=7), NOON)
    kept = await reads.find(IDS[0])

    assert (first, second) == (True, False)
    assert kept is not None
    assert kept.result == an_answer()


async def test_a_question_that_was_asked_cannot_be_withdrawn(reads: ExchangeReads) -> None:
    await reads.ask(a_question(), NOON)
    kept = await reads.withdraw(a_question(), an_answer(), NOON + timedelta(minutes=1))

    assert (kept.asked_at, kept.result) == (NOON, None)
    assert await reads.record(an_answer(), NOON)


async def test_a_withdrawn_question_has_its_answer(reads: ExchangeReads) -> None:
    first = await reads.withdraw(a_question(), an_answer(), NOON)
    again = await reads.withdraw(a_question(), an_answer(rows=7), NOON)

    assert first == again == await reads.find(IDS[0])
    assert not await reads.record(an_answer(), NOON)


async def test_the_last_question_and_the_last_answered_one_of_a_kind_are_known(reads: ExchangeReads) -> None:
    assert await reads.newest(ReadKind.ACCOUNT) is None
    await reads.ask(a_question(0), NOON)
    await reads.record(an_answer(0), NOON)
    await reads.ask(a_question(1), NOON)
    asked, answered = await reads.newest(ReadKind.ACCOUNT), await reads.newest(ReadKind.ACCOUNT, answered=True)

    assert asked is not None
    assert answered is not None
    assert (asked.command.command_id, answered.command.command_id) == (IDS[1], IDS[0])
    assert await reads.newest(ReadKind.ORGANIZATION) is None


async def test_a_late_answer_to_an_earlier_question_is_not_the_last(reads: ExchangeReads) -> None:
    await reads.ask(a_question(0), NOON)
    await reads.ask(a_question(1), NOON + timedelta(hours=1))
    await reads.record(an_answer(1), NOON)
    await reads.record(an_answer(0), NOON)
    answered = await reads.newest(ReadKind.ACCOUNT, answered=True)

    assert answered is not None
    assert answered.command.command_id == IDS[1]


async def test_old_questions_are_forgotten_and_the_newest_stay(reads: ExchangeReads) -> None:
    for number in range(3):
        await reads.ask(a_question(number), NOON + timedelta(days=number))
    await reads.record(an_answer(1), NOON)

    assert await reads.forget_before(NOON + timedelta(days=9)) == 1
    assert await reads.find(IDS[0]) is None
    assert await reads.newest(ReadKind.ACCOUNT) is not None
    assert await reads.newest(ReadKind.ACCOUNT, answered=True) is not None


async def test_a_question_lies_on_its_queue_as_base64_json_and_never_expires(
    real: StorageExchangeReads, clients: StorageClients, tenant_id: str
) -> None:
    question = ReadOrganization(command_id=IDS[0], tenant_id=TENANT, not_after=NOON)
    await real.ask(question, NOON)
    [message] = await clients.queues.get_queue_client(f"reads-{tenant_id}").peek_messages()

    assert READ_COMMAND.validate_json(base64.b64decode(message.content)) == question
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


async def test_a_question_is_sent_again_until_it_is_answered(
    real: StorageExchangeReads, clients: StorageClients, tenant_id: str
) -> None:
    await real.ask(a_question(), NOON)
    await real.ask(a_question(), NOON)
    await real.record(an_answer(), NOON)
    await real.ask(a_question(), NOON)

    assert len(await clients.queues.get_queue_client(f"reads-{tenant_id}").peek_messages(5)) == 2


async def test_that_a_question_was_sent_again_is_known(reads: ExchangeReads) -> None:
    sent = []
    for _ in range(2):
        await reads.ask(a_question(), NOON)
        found = await reads.find(IDS[0])
        sent.append(found.sent_again if found else None)
    await reads.record(an_answer(), NOON)
    answered = await reads.find(IDS[0])

    assert sent == [False, True]
    assert answered is not None
    assert (answered.sent_again, answered.result) == (True, an_answer())


async def test_a_question_that_was_withdrawn_is_not_sent_any_more(
    real: StorageExchangeReads, clients: StorageClients, tenant_id: str
) -> None:
    ended = await real.withdraw(a_question(), an_answer(), NOON)
    await real.ask(a_question(), NOON)

    assert (ended.command, ended.result, ended.answered_at) == (a_question(), an_answer(), NOON)
    assert await clients.queues.get_queue_client(f"reads-{tenant_id}").peek_messages() == []


async def test_an_answer_that_is_too_long_to_store_is_an_input_error(real: StorageExchangeReads) -> None:
    await real.ask(a_question(), NOON)

    with pytest.raises(InputError, match="characters"):
        await real.record(an_answer(error="x" * 40_000), NOON)


async def stored(clients: StorageClients, data: bytes, **given: Any) -> ReadResult:
    name = f"{hashlib.sha256(data).hexdigest()}.jsonl.gz"
    await clients.blobs.get_blob_client("reads", name).upload_blob(data, overwrite=True)
    return an_answer(**({"blob": name, "sha256": hashlib.sha256(data).hexdigest()} | given))


async def test_the_lines_come_as_the_worker_wrote_them(real: StorageExchangeReads, clients: StorageClients) -> None:
    text = "".join(f'{{"n": {number}}}\n' for number in range(2500)).encode()
    result = await stored(clients, gzip.compress(text))

    assert [line async for line in real.lines(result)] == text.splitlines()


async def test_lines_that_are_not_there_yet_are_not_found(reads: ExchangeReads) -> None:
    with pytest.raises(NotFoundError):
        _ = [line async for line in reads.lines(an_answer(blob="not-there.jsonl.gz"))]


@pytest.mark.parametrize(
    ("data", "given"),
    [(b"no gzip", {}), (gzip.compress(b"{}\n")[:-4], {}), (b"x", {"sha256": "1" * 64})],
    ids=("other", "cut off", "another hash"),
)
async def test_lines_that_are_not_those_of_the_answer_are_an_input_error(
    real: StorageExchangeReads, clients: StorageClients, data: bytes, given: dict[str, Any]
) -> None:
    result = await stored(clients, data, **given)

    with pytest.raises(InputError, match="corrupt_read"):
        _ = [line async for line in real.lines(result)]

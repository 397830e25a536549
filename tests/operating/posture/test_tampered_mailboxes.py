"""The daily read of all mailboxes says of each change of a mailbox whether it is still in effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.log import LogEntry
from bypass_responder.model.read_back import Persists
from bypass_responder.model.technique import Technique
from bypass_responder.operating.posture.tampered_mailboxes import ROWS_PER_TRANSACTION
from bypass_responder.operating.report.files import files_of
from bypass_responder.operating.status import read_status
from bypass_responder.posture.mailbox import Mailbox
from tests.operating.report.reports import report_of
from tests.sensing.builders import Json
from tests.tampering.family import FAMILY, ran
from tests.tampering.sensors import ours, stored
from tests.triggers.test_read_posture import MAILBOX, Worker, read_whole
from tests.triggers.test_store_records import a_record, polled
from tests.world import World

DAY = timedelta(days=1)


def switched_off(name: str = MAILBOX.upn, **fields: Any) -> Json:
    return ours(ran("Set-Mailbox", name, Identity=name, AuditEnabled="False"), **fields)


def audited(mailbox: Mailbox = MAILBOX, *, enabled: bool) -> Mailbox:
    return mailbox._replace(audit=mailbox.audit._replace(enabled=enabled))


async def read(world: World, *mailboxes: Mailbox) -> None:
    """A day later all mailboxes are read."""
    world.now += DAY
    worker = Worker(world)
    worker.answered = len(world.reads.sent)
    worker.users = [*mailboxes]
    await read_whole(world, worker)


async def states(world: World) -> list[Persists | None]:
    return [row.read_back.state if row.read_back else None for row in await stored(world)]


async def undone(world: World) -> list[LogEntry]:
    return [each async for each in world.ledger.log(TENANT_TARGET) if each.text.startswith("undone: ")]


async def test_a_change_is_still_so_until_a_read_shows_that_it_is_undone() -> None:
    world = await polled(switched_off())
    seen = [await states(world)]
    for enabled in (False, True):
        await read(world, audited(enabled=enabled))
        seen.append(await states(world))

    assert seen == [[None], [Persists.STILL_SO], [Persists.UNDONE]]


async def test_that_it_is_undone_is_logged_once() -> None:
    world = await polled(switched_off())
    for _ in range(2):
        await read(world, audited(enabled=True))

    [entry] = await undone(world)
    assert entry.text == f"undone: Set-Mailbox -AuditEnabled False of {MAILBOX.upn}; AuditEnabled is True"


async def test_each_read_moves_the_time_on() -> None:
    world = await polled(switched_off())
    times = []
    for _ in range(2):
        await read(world, audited(enabled=False))
        times += [str(row.read_back) for row in await stored(world)]

    assert len(set(times)) == 2


async def test_the_first_read_that_shows_it_undone_stands() -> None:
    world = await polled(switched_off())
    times = []
    for _ in range(2):
        await read(world, audited(enabled=True))
        times += [str(row.read_back) for row in await stored(world)]

    assert len(set(times)) == 1


async def test_a_read_without_the_mailbox_leaves_what_one_before_showed() -> None:
    world = await polled(switched_off())
    await read(world, audited(enabled=False))
    await read(world, MAILBOX._replace(upn="other@contoso.com", address=""))

    assert await states(world) == [Persists.STILL_SO]


async def test_more_changes_than_a_transaction_holds_are_all_read_back() -> None:
    number = 2 * ROWS_PER_TRANSACTION + 1
    world = await polled(*(switched_off(Id=f"r{n}") for n in range(number)))
    await read(world, audited(enabled=True))

    assert await states(world) == [Persists.UNDONE] * number
    assert len(await undone(world)) == number


async def test_a_read_that_was_interrupted_there_is_completed_by_the_next_run() -> None:
    world = await polled(switched_off())
    world.ledger.fail("commit", TransientError("storage is down"))
    with pytest.raises(TransientError):
        await read(world, audited(enabled=True))
    world.now += timedelta(minutes=10)
    await read_whole(world, Worker(world))

    assert await states(world) == [Persists.UNDONE]


async def test_without_a_change_of_a_mailbox_nothing_is_written() -> None:
    world = await polled(ours(FAMILY[Technique.RETENTION].positive))
    before = await world.case(TENANT_TARGET)
    await read(world, audited(enabled=True))

    assert (await world.case(TENANT_TARGET)).head.log_seq == before.head.log_seq


async def test_report_and_status_say_when_it_was_read() -> None:
    world = await polled(a_record(), switched_off())
    await read(world, audited(enabled=False))
    page = files_of(await report_of(world))["report.html"].decode()
    [row] = (await read_status(world.services)).tampering

    assert str(row.read_back).startswith("Still in effect, read at 2026-03-03 ")
    assert str(row.read_back) in page

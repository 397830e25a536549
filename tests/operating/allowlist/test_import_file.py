"""Carrying out an import: whole transactions, conflicts, interruptions, and the same file again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.operating.allowlist.history import Known, history
from bypass_responder.operating.allowlist.import_file import ImportResult, import_file
from bypass_responder.operating.allowlist.import_plan import PlannedRow, plan_import
from tests.adversary.scenes import numbered_accounts
from tests.operating.allowlist.builders import allowed, delivers
from tests.operating.allowlist.test_import_plan import a_file
from tests.world import ALEX, BLAKE, OPS, START, World

MANY = numbered_accounts(250)


async def imported(data: bytes, world: World, **given: Any) -> ImportResult:
    plan = await plan_import(data, world.services, author=OPS)
    about: dict[str, Any] = {"confirmed": plan.sha256, "author": OPS, "via": "bypassctl", "reason": "ticket"}
    return await import_file(data, world.services, **(about | given))


def many(count: int = 250) -> bytes:
    return a_file(*({"object_id": account.object_id} for account in MANY[:count]))


async def test_rows_are_written_in_transactions_and_reported() -> None:
    world = World(*MANY)
    result = await imported(many(), world)

    assert (result.written, len(world.allowlist.rows)) == (250, 250)
    assert sum(len(message.edit.rows) for message in world.decisions.sent if message.edit) == 250


async def test_every_message_fits_into_the_queue() -> None:
    world = World(*MANY)
    rows = ({"object_id": each.object_id, "justification": "\u4e2d" * 1000} for each in MANY)
    await imported(a_file(*rows), world)

    assert max(len(message.model_dump_json().encode()) for message in world.decisions.sent) < 48 * 1024


async def test_the_history_names_who_imported_a_row_and_with_which_file() -> None:
    world = World()
    await world.passes(minutes=1)
    result = await imported(a_file({}, {"object_id": BLAKE}), world)
    for message in world.decisions.sent:
        await delivers(world, message)
    await world.passes(minutes=1)
    [line] = history([entry async for entry in world.ledger.log(ALEX)])

    assert (line.known, line.plan) == (Known.CLAIMED, result.plan_id)


async def test_another_file_than_the_confirmed_one_is_refused() -> None:
    world = World()
    with pytest.raises(RefusedError, match="not the one that was confirmed"):
        await imported(a_file({}), world, confirmed="0" * 64)
    assert world.allowlist.rows == {}


async def test_a_file_with_a_rejected_row_is_not_imported_in_part() -> None:
    world = World()
    with pytest.raises(RefusedError, match="1 row is rejected, the first in line 3"):
        await imported(a_file({}, {"object_id": "x"}), world)
    assert world.allowlist.rows == {}


async def test_rejected_rows_are_skipped_on_demand() -> None:
    world = World()
    result = await imported(a_file({}, {"object_id": "x"}), world, skip_rejected=True)

    assert (result.written, list(world.allowlist.rows)) == (1, [ALEX])


async def test_an_interrupted_import_says_which_rows_are_in_and_is_finished_by_the_same_file() -> None:
    whole, world = World(*MANY), World(*MANY)
    await imported(many(), whole)
    _, second, *_ = [about for call, about in whole.allowlist.calls if call == "put_all"]
    in_table: list[PlannedRow] = []
    world.allowlist.fail("put_all", TransientError("no answer"), about=second)
    with pytest.raises(TransientError):
        await imported(many(), world, written=in_table.extend)
    before = len(in_table)
    result = await imported(many(), world)

    assert (before, result.written, result.same, len(world.allowlist.rows)) == (before, 250 - before, before, 250)
    assert 0 < before < 250


class _EditedMeanwhile:
    """Somebody edits ALEX's entry after the plan was read again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._put_all = world.allowlist.put_all

    async def put_all(self, entries: Any) -> None:
        row = self._world.allowlist.rows[ALEX]
        self._world.allowlist.rows[ALEX] = row.model_copy(update={"etag": "another"})
        await self._put_all(entries)


async def test_a_row_that_was_changed_meanwhile_keeps_its_transaction_out() -> None:
    world = World()
    await allowed(world)
    world.allowlist.put_all = _EditedMeanwhile(world).put_all  # type: ignore[method-assign]
    result = await imported(a_file({"owner": "new@contoso.com"}, {"object_id": BLAKE}), world)

    assert (result.written, [row.object_id for row in result.changed]) == (0, [ALEX, BLAKE])
    assert list(world.allowlist.rows) == [ALEX]


async def test_rows_that_are_absent_from_the_file_stay() -> None:
    world = World()
    await allowed(world)
    await imported(a_file({"object_id": BLAKE}), world)

    assert sorted(world.allowlist.rows) == [ALEX, BLAKE]


async def test_a_report_that_cannot_be_sent_is_counted() -> None:
    world = World()
    world.decisions.fail("send", PermissionMissingError("no", permission="Storage Queue Data Message Sender"))
    result = await imported(a_file({}), world)

    assert (result.written, result.unreported) == (1, 1)


async def test_a_large_import_is_notified_once() -> None:
    world = World(*MANY)
    await world.passes(minutes=1)
    await imported(many(30), world)
    await world.passes(minutes=1)
    await world.passes(minutes=1)
    sent = [note for note in world.notifier.sent if note.about == "allowlist_changed"]

    assert [note.title for note in sent] == ["30 allowlist entries changed within a minute"]
    assert str(OPS) in sent[0].text


async def test_an_imported_expiry_is_the_end_of_its_day() -> None:
    world = World()
    await imported(a_file({}), world)
    entry = world.allowlist.rows[ALEX]

    assert isinstance(entry, AllowlistEntry)
    assert entry.expires_at == datetime(2026, 12, 27, 23, 59, 59, tzinfo=START.tzinfo)

"""Carrying out an import: whole transactions, conflicts, interruptions, and the same file again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.decision_message import Author
from bypass_responder.operating.allowlist.edit import plan_remove, plan_set
from bypass_responder.operating.allowlist.history import Known, history
from bypass_responder.operating.allowlist.import_file import ImportResult, import_file
from bypass_responder.operating.allowlist.import_plan import PlannedRow, plan_import
from tests.adversary.scenes import numbered_accounts
from tests.operating.allowlist.builders import allowed, delivers, makes
from tests.operating.allowlist.test_import_plan import a_file
from tests.world import ALEX, BLAKE, OPS, START, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MANY = numbered_accounts(250)
BLAIR = Author(object_id="cccccccc-0000-4000-8000-000000000003", name="blair@contoso.com")


async def imported(data: bytes, world: World, **given: Any) -> ImportResult:
    plan = await plan_import(data, world.services, author=OPS)
    about: dict[str, Any] = {"confirmed": plan.confirmation, "author": OPS, "via": "bypassctl", "reason": "ticket"}
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


async def extended(world: World) -> None:
    """Blair extends ALEX's entry."""
    edit = await plan_set(ALEX, {"ticket": "CHG-77"}, world.services, author=BLAIR)
    await makes(world, edit, author=BLAIR)


async def removed(world: World) -> None:
    await makes(world, await plan_remove(ALEX, world.services, author=BLAIR), author=BLAIR)


@pytest.mark.parametrize("ticket", ["CHG-1", "CHG-2"], ids=["same", "change"])
@pytest.mark.parametrize(
    ("edited", "word"),
    [(extended, "changed by blair@contoso.com"), (removed, "its entry was removed after the plan was shown")],
)
async def test_a_row_that_was_edited_after_its_plan_was_shown_is_not_written(
    ticket: str, edited: Callable[[World], Awaitable[None]], word: str
) -> None:
    world = World()
    await allowed(world)
    data = a_file({"ticket": ticket, "expires": "2026-12-27T09:00:00Z"}, {"object_id": BLAKE})
    shown = await plan_import(data, world.services, author=OPS)
    await edited(world)
    before = await world.allowlist.get(ALEX)
    result = await imported(data, world, confirmed=shown.confirmation)

    assert (result.written, [(row.object_id, word in row.why) for row in result.changed]) == (1, [(ALEX, True)])
    assert await world.allowlist.get(ALEX) == before


async def test_an_entry_that_was_added_after_the_plan_was_shown_is_not_replaced() -> None:
    world = World()
    shown = await plan_import(a_file({"ticket": "CHG-2"}), world.services, author=OPS)
    await allowed(world)
    result = await imported(a_file({"ticket": "CHG-2"}), world, confirmed=shown.confirmation)

    assert (result.written, "ticket: CHG-1 → CHG-2" in result.changed[0].why) == (0, True)


async def test_one_confirmation_finishes_what_was_interrupted() -> None:
    world = World(*MANY)
    shown = await plan_import(many(), world.services, author=OPS)
    first = await imported(many(), world, confirmed=shown.confirmation, most=100)
    second = await imported(many(), world, confirmed=shown.confirmation)

    assert (first.written, first.left, second.written, second.changed) == (100, 150, 150, ())


async def test_the_plan_id_names_the_state_of_the_entries() -> None:
    world = World()
    shown = await plan_import(a_file({}), world.services, author=OPS)
    await allowed(world)
    now = await plan_import(a_file({}), world.services, author=OPS)

    assert (shown.plan_id != now.plan_id, shown.plan_id[:8]) == (True, now.sha256[:8])


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

"""What is answered from the reads of the worker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import InputError, NotFoundError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor
from bypass_responder.model.technique import Technique
from bypass_responder.operating.posture.answers import MOST_ASKED, TREND, keep_read, read_page, read_report
from bypass_responder.operating.posture.listed import LineFilter
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.stored import MAILBOXES
from bypass_responder.session import open_session
from tests.case.test_tampering_state import changed
from tests.operating.posture.scenes import WRITTEN, read_of
from tests.posture.mailboxes import CASES, object_id
from tests.tampering.family import FAMILY
from tests.world import START, World, an_account, an_entry

DAY = timedelta(days=1)
DEFAULT, PINNED = CASES[0], CASES[2]
BYPASSED = next(case for case in CASES if case.what == "a bypassed user")


async def report_of(world: World, wanted: RowFilter | None = None) -> PostureReport:
    return await read_report(world.services, measures(), wanted or RowFilter())


async def test_without_a_read_it_says_so() -> None:
    with pytest.raises(NotFoundError, match="posture compare"):
        await report_of(World())


async def test_every_mailbox_of_every_part_is_compared() -> None:
    world = World()
    await world.posture.keep(read_of(world, *WRITTEN))

    assert len((await report_of(world)).rows) == len(WRITTEN)


async def test_a_part_that_is_gone_makes_it_partial() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT, DEFAULT))
    del world.reads.blobs["read-1-1"]
    report = await report_of(world)

    assert not report.clean
    assert "a part is not readable" in report.found.problems[0]


async def test_a_part_that_was_changed_makes_it_partial() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT, DEFAULT))
    world.reads.blobs["read-1-1"] = world.reads.blobs["read-1-2"]

    assert "the hash of the blob" in (await report_of(world)).found.problems[0]


async def test_a_read_that_ended_as_partial_stays_it() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT, problems=("throttled",)))

    assert (await report_of(world)).state.startswith("PARTIAL READ")


async def test_a_read_without_the_list_of_bypasses_is_partial() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT, bypassed_read=False))

    assert (await report_of(world)).found.partial


async def test_changes_are_those_since_the_last_complete_read() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT, id="old", read_at=START - 2 * DAY))
    await world.posture.keep(read_of(world, PINNED, PINNED, id="partial", read_at=START - DAY, problems=("throttled",)))
    await world.posture.keep(read_of(world, PINNED, PINNED))
    report = await report_of(world)

    assert report.found.compared_with == START - 2 * DAY
    assert [(row.mailbox.key, row.new, bool(row.changed)) for row in report.rows] == [
        (object_id(0), False, True),
        (object_id(1), True, False),
    ]


async def test_what_changed_says_who_changed_it() -> None:
    world = World()
    await world.posture.keep(read_of(world, DEFAULT))
    await world.posture.keep(read_of(world, PINNED, id="read-2", read_at=START + 2 * DAY))
    who = "mallory@contoso.onmicrosoft.com"
    about = {"target": object_id(0), "object_id_text": object_id(0)}
    record = changed(FAMILY[Technique.ACTION_LIST].positive, actor=Actor(user_id=who), **about)
    session = await open_session(TENANT_TARGET, world.services)
    await session.apply(lambda draft: draft.put(record.model_copy(update={"occurred_at": START + DAY})))
    [row] = (await report_of(world)).rows

    assert [each.by for each in row.changed if each.property == "DefaultAuditSet"] == [f"{who} at 2026-03-03 09:00:00Z"]


async def test_watched_mailboxes_are_those_of_the_setting() -> None:
    world = World(watched_mailboxes="USER1@contoso.com")
    await world.posture.keep(read_of(world, DEFAULT, DEFAULT))

    assert (await report_of(world)).rows[0].mailbox.upn == "user1@contoso.com"


async def test_a_bypassed_account_has_the_ticket_of_its_entry() -> None:
    world = World()
    await world.allowlist.put(an_entry(object_id(0), ticket="CHG-7"))
    await world.posture.keep(read_of(world, BYPASSED))

    assert (await report_of(world)).ticket(object_id(0)) == "CHG-7"


async def test_a_page_before_the_first_read_says_so() -> None:
    assert (await read_page(World().services, LineFilter())).overview is None


async def test_a_read_that_ended_is_kept_with_its_overview() -> None:
    world = World()
    await keep_read(read_of(world, *WRITTEN), world.services)
    page = await read_page(world.services, LineFilter())

    assert page.overview is not None
    assert page.overview.summary.mailboxes == len(WRITTEN)
    assert page.overview.to_do[0].issue == "bypassed"


async def test_the_page_needs_no_blob() -> None:
    world = World()
    await keep_read(read_of(world, *WRITTEN), world.services)
    world.reads.blobs.clear()

    assert (await read_page(world.services, LineFilter())).overview


async def test_the_trend_has_the_reads_before_the_newest_first() -> None:
    world = World()
    for day in range(3):
        await keep_read(read_of(world, *[DEFAULT] * (day + 1), id=f"r{day}", read_at=START + day * DAY), world.services)
    page = await read_page(world.services, LineFilter())

    assert [each.mailboxes for each in page.trend] == [2, 1]
    assert [each.mailboxes for each in (await report_of(world)).trend] == [2, 1]


async def test_keeping_a_read_twice_keeps_it_once() -> None:
    world = World()
    read = read_of(world, DEFAULT)
    await keep_read(read, world.services)
    await keep_read(read, world.services)

    assert len(await world.posture.newest(TREND)) == 1


async def test_a_read_says_when_the_last_complete_one_began() -> None:
    world = World()
    for day, wrong in enumerate(((), ("throttled",), ("throttled",))):
        await keep_read(
            read_of(world, DEFAULT, id=f"r{day}", read_at=START + day * DAY, problems=wrong), world.services
        )

    assert {each.complete_at for each in world.posture.kept.values()} == {START}


async def test_a_read_that_no_row_holds_is_kept_without_its_mailboxes() -> None:
    world = World()
    world.posture.fail("keep", InputError("posture_read", "the read has too many bytes"))
    await keep_read(read_of(world, *WRITTEN), world.services)
    [kept] = world.posture.kept.values()

    assert kept.overview is not None
    assert (kept.overview.mailboxes, kept.overview.left_out > 0) == ((), True)


async def test_a_mailbox_that_is_gone_though_its_account_exists_makes_the_read_partial() -> None:
    """It may have changed its type between two parts, and is in neither. The next read is complete."""
    world = World()
    world.directory.accounts[object_id(1)] = an_account(object_id(1))
    types = {"comparable": tuple(MAILBOXES), "whole": tuple(MAILBOXES)}
    for day, count in enumerate((3, 1, 1)):
        read = read_of(world, *[DEFAULT] * count, id=f"r{day}", read_at=START + day * DAY, **types)
        await keep_read(read, world.services)
    wrong = [each.problems for each in sorted(world.posture.kept.values(), key=lambda each: each.id)]

    assert [len(each) for each in wrong] == [0, 1, 0]
    assert "1 mailbox of the read before was not found, though the account exists" in wrong[1][0]
    assert wrong[1][0].endswith(object_id(1))


async def test_many_mailboxes_that_are_gone_at_once_make_the_read_partial() -> None:
    world = World()
    await keep_read(read_of(world, *[DEFAULT] * (MOST_ASKED + 3)), world.services)
    made = await keep_read(read_of(world, DEFAULT, id="r1", read_at=START + DAY), world.services)

    assert made.found.problems == (
        "2 mailboxes more of the read before were not found, and their accounts were not looked up",
    )


async def test_without_an_answer_of_entra_id_a_mailbox_that_is_gone_may_be_there() -> None:
    world = World()
    world.directory.fail("find", TransientError("Graph is away."))
    await keep_read(read_of(world, DEFAULT, DEFAULT), world.services)

    assert (await keep_read(read_of(world, DEFAULT, id="r1", read_at=START + DAY), world.services)).found.partial

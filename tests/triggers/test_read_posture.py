"""The daily read of all mailboxes: asked in parts, compared at its end, repeated after a crash."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta

import pytest

from bypass_responder.errors import ConflictError, NotFoundError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Channel, DecisionKind, Shown
from bypass_responder.model.exchange_read import ReadCommand, ReadMailboxes, ReadOrganization, Recipients, Shard
from bypass_responder.model.incident import PersonDecision
from bypass_responder.operating.posture.answers import read_report
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.mailbox import Mailbox
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from bypass_responder.triggers.read_posture import read_posture
from bypass_responder.triggers.record_exchange_read import record_exchange_read
from tests.operating.posture.scenes import line
from tests.posture.mailboxes import CASES, a_read
from tests.world import TENANT, World

MAILBOX = a_read(CASES[:1]).mailboxes[0]
SWITCHES = {
    "switches": {"items": [{"audit_disabled": False, "unified_audit_log_ingestion_enabled": True}]},
    "admin_audit_log": {},
    "assignments": {},
    "members": {},
    "own_entries": {},
}


class Worker:
    """Answers what is on the queue, each question once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.answered = 0
        self.broken: set[Recipients] = set()
        self.warned: set[Recipients] = set()
        self.users: list[Mailbox] = [MAILBOX]
        self.most_rows = 50_000

    async def answer(self, most: int = 1000) -> None:
        while most and self.answered < len(self.world.reads.sent):
            command = self.world.reads.sent[self.answered]
            self.answered, most = self.answered + 1, most - 1
            await record_exchange_read(json.dumps(self._answer(command)).encode(), self.world.services)

    def _answer(self, command: ReadCommand) -> dict[str, object]:
        about: dict[str, object] = {"command_id": command.command_id, "kind": command.kind, "tenant_id": TENANT}
        started = {"started_at": self.world.now.isoformat()}
        if isinstance(command, ReadMailboxes) and command.shard.recipients in self.broken:
            return about | started | {"outcome": "failed", "error": "Not allowed.", "error_class": "permission"}
        lines = [json.dumps(SWITCHES).encode()] if isinstance(command, ReadOrganization) else []
        if isinstance(command, ReadMailboxes) and command.shard.recipients is Recipients.USER:
            lines = [line(each) for each in self.users if _is_inside(each, command.shard)]
        more = len(lines) > self.most_rows
        lines = lines[: self.most_rows]
        packed = gzip.compress(b"\n".join(lines), mtime=0)
        name = f"{command.command_id}.jsonl.gz"
        self.world.reads.blobs[name] = packed
        facts: dict[str, object] = {
            "outcome": "read",
            "complete": True,
            "blob": name,
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        if isinstance(command, ReadMailboxes) and command.shard.recipients in self.warned:
            facts |= {"complete": False, "warnings": ["The object has been corrupted."]}
        if more:
            facts |= {"complete": False, "partial": f"the shard has more than {self.most_rows} mailboxes"}
        return about | started | facts | {"rows": len(lines), "scanned": len(lines)}


def _is_inside(mailbox: Mailbox, shard: Shard) -> bool:
    created = str(mailbox.created_at)
    since, until = shard.since.isoformat() if shard.since else "", shard.until.isoformat() if shard.until else "9"
    return since <= created < until


async def read_whole(world: World, worker: Worker) -> None:
    await read_posture(world.services)
    await worker.answer()
    world.now += timedelta(minutes=1)
    await read_posture(world.services)


async def test_a_read_that_has_ended_is_reported() -> None:
    world = World()
    await read_whole(world, Worker(world))
    report = await read_report(world.services, measures(), RowFilter())

    assert [row.mailbox.object_id for row in report.rows] == [MAILBOX.object_id]
    assert report.found.problems == ()


async def test_a_read_is_begun_once_a_day() -> None:
    world = World()
    worker = Worker(world)
    for _ in range(9):
        await read_whole(world, worker)
        world.now += timedelta(hours=6)

    assert len(world.posture.kept) == 3


async def test_one_that_is_under_way_is_not_begun_again() -> None:
    world = World()
    await read_posture(world.services)
    sent = len(world.reads.sent)
    world.now += timedelta(minutes=10)
    await read_posture(world.services)

    assert len(world.reads.sent) == sent


async def test_a_crash_between_the_row_and_the_question_repeats_the_question() -> None:
    world = World()
    world.reads.fail("ask", TransientError("The storage is away."))
    with pytest.raises(TransientError):
        await read_posture(world.services)
    world.now += timedelta(minutes=1)
    await read_posture(world.services)

    assert len(world.reads.sent) == 2
    assert world.posture_runs.row is not None
    assert {part.command_id for part in world.posture_runs.row.asked} == {each.command_id for each in world.reads.sent}


async def test_a_crash_in_the_comparison_repeats_the_comparison() -> None:
    world = World()
    worker = Worker(world)
    await read_posture(world.services)
    await worker.answer()
    world.now += timedelta(minutes=1)
    world.posture_runs.fail("replace", TransientError("The storage is away."))
    with pytest.raises(TransientError):
        await read_posture(world.services)
    await read_posture(world.services)

    assert len(world.posture.kept) == 1
    assert world.posture_runs.row is not None
    assert world.posture_runs.row.compared_at is not None


async def test_a_part_that_cannot_be_read_makes_the_report_partial() -> None:
    world = World()
    worker = Worker(world)
    worker.broken = {Recipients.GROUP}
    await read_whole(world, worker)
    report = await read_report(world.services, measures(), RowFilter())

    assert report.found.problems == ("group: Not allowed.",)
    assert not report.clean
    assert world.posture_runs.row is not None
    assert world.posture_runs.row.partial == "group: Not allowed."


async def test_a_comparison_that_is_partial_makes_the_read_so() -> None:
    """Every part was read; what one of them wrote is gone."""
    world = World()
    worker = Worker(world)
    await read_posture(world.services)
    await worker.answer()
    world.reads.blobs.popitem()
    world.now += timedelta(minutes=1)
    await read_posture(world.services)

    assert world.posture_runs.row is not None
    assert world.posture_runs.row.partial.startswith("a part is not readable")


async def test_a_read_that_is_partial_for_a_week_is_an_alert_and_a_complete_one_ends_it() -> None:
    world = World()
    worker = Worker(world)
    worker.broken = {Recipients.GROUP}
    for _ in range(8):
        await read_whole(world, worker)
        world.now += timedelta(days=1)
    before = await world.alerts()
    worker.broken = set()
    await read_whole(world, worker)

    assert "posture_partial" in before
    assert "posture_partial" not in await world.alerts()


async def test_a_person_asks_for_a_read() -> None:
    world = World()
    await read_whole(world, Worker(world))
    world.now += timedelta(hours=1)
    message = await world.a_decision(DecisionKind.READ_POSTURE, "", TENANT_TARGET, shown=Shown())
    sent = len(world.reads.sent)
    for _ in range(2):
        await carry_out_decision(message.model_dump_json().encode(), world.services, channel=Channel.BYPASSCTL)
    case = await world.case(TENANT_TARGET)

    assert len(world.reads.sent) == sent + 2
    assert [row.outcome for row in case.rows(PersonDecision)] == ["carried_out"]


async def test_a_type_with_too_many_mailboxes_is_read_in_pieces_and_nothing_is_missing() -> None:
    world = World()
    worker = Worker(world)
    worker.most_rows = 10
    worker.users = [
        MAILBOX._replace(
            object_id=f"00000000-0000-4000-8000-{number:012}",
            exchange_guid=None,
            created_at=(world.now - timedelta(days=1000 - number)).isoformat(),
        )
        for number in range(50)
    ]
    await read_whole(world, worker)
    report = await read_report(world.services, measures(), RowFilter())

    assert report.found.problems == ()
    assert {row.mailbox.object_id for row in report.rows} == {each.object_id for each in worker.users}


async def test_two_runs_at_a_time_ask_nothing_twice() -> None:
    world = World()
    await read_posture(world.services)
    world.posture_runs.fail("replace", ConflictError("The row was changed meanwhile."))
    await Worker(world).answer()

    assert len({command.command_id for command in world.reads.sent}) == len(world.reads.sent) == 7


async def test_a_blob_that_comes_after_its_answer_is_awaited() -> None:
    world = World()
    worker = Worker(world)
    worker.most_rows, worker.users = 0, [MAILBOX]
    await read_posture(world.services)
    await worker.answer(1)
    world.reads.fail("lines", NotFoundError("There is no blob yet."))
    await worker.answer(1)
    before = [part.name for part in world.posture_runs.row.asked] if world.posture_runs.row else []
    await read_posture(world.services)
    after = [part.name for part in world.posture_runs.row.asked] if world.posture_runs.row else []

    assert "user" in before
    assert "user" not in after


MANY = [MAILBOX._replace(object_id=f"00000000-0000-4000-8000-{number:012}", exchange_guid=None) for number in range(20)]
LEFT = [each._replace(audit=each.audit._replace(default_set=(), owner=("Update",))) for each in MANY]


async def days(world: World, worker: Worker, number: int) -> None:
    for _ in range(number):
        await read_whole(world, worker)
        world.now += timedelta(days=1)


@pytest.mark.parametrize("wrong", ["broken", "warned"])
async def test_a_type_that_is_always_partial_hides_no_change_of_another(wrong: str) -> None:
    """One right that is missing, or one object that Exchange warns about, stays for months."""
    world = World()
    worker = Worker(world)
    worker.users = MANY
    getattr(worker, wrong).add(Recipients.GROUP)
    await days(world, worker, 3)
    worker.users = LEFT
    await days(world, worker, 1)

    assert {"posture_drift", "posture_default_left"} <= set(await world.alerts())


async def test_a_warning_about_a_type_hides_no_change_of_it() -> None:
    world = World()
    worker = Worker(world)
    worker.users = MANY
    worker.warned = {Recipients.USER}
    await days(world, worker, 2)
    worker.users = LEFT
    await days(world, worker, 1)

    assert "posture_drift" in await world.alerts()


async def test_what_changed_during_weeks_without_a_read_of_its_type_is_reported() -> None:
    world = World()
    worker = Worker(world)
    worker.users = MANY
    await days(world, worker, 1)
    worker.broken = {Recipients.USER}
    await days(world, worker, 20)
    worker.broken, worker.users = set(), LEFT
    await days(world, worker, 1)
    report = await read_report(world.services, measures(), RowFilter())

    assert (report.summary.changed, report.summary.new) == (20, 0)
    assert "posture_drift" in await world.alerts()


async def test_the_mailboxes_of_a_type_that_was_not_read_are_not_gone_and_not_new_afterwards() -> None:
    world = World()
    worker = Worker(world)
    worker.users = MANY
    await days(world, worker, 1)
    worker.broken = {Recipients.USER}
    await days(world, worker, 1)
    without = await read_report(world.services, measures(), RowFilter())
    worker.broken = set()
    await days(world, worker, 1)
    again = await read_report(world.services, measures(), RowFilter())

    assert (without.summary.gone, again.summary.new, again.summary.changed) == (0, 0, 0)

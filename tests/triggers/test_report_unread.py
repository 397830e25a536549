"""What the feed holds and cannot be read, when it names the cmdlet."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from bypass_responder.errors import NotFoundError, TransientError
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from bypass_responder.triggers.resume_responses import resume_responses
from tests.triggers.test_store_records import a_record, polled
from tests.world import ALEX, World


async def received(content: bytes) -> World:
    """A world whose first poll is behind it, and then this blob arrives."""
    world = World()
    await poll_audit_feed(world.services)
    created = world.now + timedelta(minutes=1)
    world.feed.publish(
        ContentBlob(content_id="odd", uri="", created=created, expires=created + timedelta(days=7)), content
    )
    world.now += timedelta(minutes=5)
    await poll_audit_feed(world.services)
    return world


def critical(world: World) -> list[Notification]:
    sent = world.notifier.sent
    return [note for note in sent if note.about == "unreadable" and note.severity is Severity.CRITICAL]


RECORD = json.dumps(a_record())
OF_ANOTHER_TENANT = a_record(
    Operation="Set-OrganizationConfig",
    OrganizationId=ALEX,
    Parameters=[{"Name": "AuditDisabled", "Value": "True"}],
)
UNREAD = {
    "a record that is cut off": f"[{RECORD[:-20]}".encode(),
    "a record without an id": json.dumps([a_record(Id=None)]).encode(),
    "another operation with our parameter": json.dumps([a_record(Operation="Set-Mailbox")]).encode(),
    "no JSON at all": b"<html>Set-MailboxAuditBypassAssociation</html>",
    "a day that may be a month": json.dumps([a_record(CreationTime="2/4/2026 1:31 AM")]).encode(),
    "a record of another tenant": json.dumps([a_record(OrganizationId=ALEX)]).encode(),
}


@pytest.mark.parametrize("content", UNREAD.values(), ids=UNREAD)
async def test_it_is_critical_and_a_sweep_is_requested(content: bytes) -> None:
    world = await received(content)
    world.now += timedelta(minutes=1)
    await resume_responses(world.services)
    await world.sends()

    assert (len(critical(world)), len(world.sweeps_asked)) == (1, 1)


async def test_it_is_notified_once_however_often_the_blob_is_read() -> None:
    world = await received(UNREAD["a record that is cut off"])
    for _ in range(10):
        world.now += timedelta(minutes=5)
        await poll_audit_feed(world.services)
        await world.sends()

    assert len(critical(world)) == 1


async def test_an_unreadable_record_is_notified_although_its_poll_ends_in_between() -> None:
    world = World()
    world.feed_store.fail("mark_read", TransientError("503"), about="blob-0")
    with pytest.raises(TransientError):
        await polled(OF_ANOTHER_TENANT, world=world)

    await poll_audit_feed(world.services)
    await world.passes(minutes=1)

    assert [note.about for note in world.notifier.sent] == ["unreadable"]


async def test_an_unreadable_record_that_cannot_be_kept_is_notified_once() -> None:
    world = World()
    world.feed_store.fail("keep_unreadable", TransientError("503"), always=True)
    with suppress(TransientError):
        await polled(OF_ANOTHER_TENANT, world=world)
    for _ in range(5):
        world.now += timedelta(minutes=5)
        with suppress(TransientError):
            await poll_audit_feed(world.services)
    await world.passes(minutes=1)

    assert [note.about for note in world.notifier.sent].count("unreadable") == 1


async def test_many_unreadable_records_of_a_poll_are_one_notification() -> None:
    world = await polled(*(OF_ANOTHER_TENANT | {"Id": f"record {number}"} for number in range(20)))

    assert [note.about for note in world.notifier.sent] == ["unreadable"]


async def test_a_gap_is_an_alert_although_its_poll_ends_in_between() -> None:
    world = World()
    world.feed.fail("read", NotFoundError("AF20050"), always=True)
    await polled(a_record(), world=world)
    for _ in range(3):
        world.feed_store.fail("mark_read", TransientError("503"))
        with suppress(TransientError):
            await poll_audit_feed(world.services)
        world.feed_store.recover()
        world.now += timedelta(minutes=5)
    await poll_audit_feed(world.services)

    assert len(world.feed_store.found_gaps) == 1
    assert "gap" in await world.alerts()


async def test_a_part_that_does_not_name_the_cmdlet_is_no_reason_for_a_sweep() -> None:
    world = await received(b'[{"Id":""{}]')
    world.now += timedelta(minutes=1)
    await resume_responses(world.services)
    await world.sends()

    assert (critical(world), world.sweeps_asked) == ([], [])


async def test_the_record_behind_a_broken_one_contains_its_account() -> None:
    world = await received(f'[{{"Id":"a","AdministrativeUnits":[""{{"}}]}},{RECORD}]'.encode())

    assert not world.directory.enabled[ALEX]


@pytest.mark.parametrize(
    "spelling",
    [
        "Set-MailboxAuditBypassAssociation ",
        "Set\u2013MailboxAuditBypassAssociation",
        "set-MailboxAuditBypass\u200bAssociation",
    ],
)
async def test_a_record_whose_cmdlet_is_spelled_oddly_contains_its_account(spelling: str) -> None:
    world = await polled(a_record(Operation=spelling))

    assert not world.directory.enabled[ALEX]

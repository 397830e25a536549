"""A stored row, a message or a record that is unlike the others costs only itself."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bypass_responder.adapters.storage_clients import connect, create_storage
from bypass_responder.adapters.work_table import TableWorkList
from bypass_responder.errors import InputError
from bypass_responder.model.case import ROWS, TENANT_TARGET, is_of_newer_version
from bypass_responder.model.feed import ContentBlob
from bypass_responder.settings import Storage
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.adversary.scenes import a_world, an_off, bypassed_again, contained, next_version_writes, problems_of
from tests.sensing.builders import a_bypass, named
from tests.world import ALEX, START, TENANT, World, a_finding, a_hint


async def the_feed_brings(world: World, *moments: str) -> list[str]:
    """One blob with an *on* of ALEX for each of these moments; the problems of the poll that reads it."""
    records = [
        a_bypass(
            Id=f"20fd5006-645b-42be-e9de-{world.now:%d%H%M%S}{number:04d}",
            CreationTime=moment,
            OrganizationId=TENANT,
            ObjectId=ALEX,
            Parameters=named(AuditBypassEnabled="True", Identity="alex@contoso.onmicrosoft.com"),
        )
        for number, moment in enumerate(moments)
    ]
    created = world.now + timedelta(minutes=1)
    blob = ContentBlob(content_id=f"blob-{created:%H%M}", uri="", created=created, expires=created + timedelta(days=7))
    world.feed.publish(blob, json.dumps(records).encode())
    world.now += timedelta(minutes=5)
    return await problems_of(poll_audit_feed(world.services))


async def test_a_record_of_the_year_1_does_not_stop_its_account() -> None:
    """A record with ``default(DateTime)`` as its CreationTime does not stop later decisions."""
    world = a_world()
    await poll_audit_feed(world.services)
    await the_feed_brings(world, "0001-01-01T00:00:00")
    await world.answer()
    await world.answer()
    world.bypassed[ALEX] = True
    off, on = an_off(effective_at=world.now), a_finding(effective_at=world.now + timedelta(minutes=1))
    world.now += timedelta(hours=1)
    problems = await problems_of(world.sees(off, on))

    assert problems == []


@pytest.mark.parametrize("kind", ["head", "notification"])
async def test_a_row_that_the_next_version_wrote_does_not_stop_its_account(kind: str) -> None:
    """One new optional field does not make the account unreadable to the previous version."""
    world = a_world()
    await contained(world)
    next_version_writes(kind, world)
    world.directory.change(ALEX, account_enabled=True)
    await problems_of(bypassed_again(world, hours=2))

    assert world.directory.enabled[ALEX] is False


@pytest.mark.parametrize("place", ["now-new-kind-1", "new-kind-20260302T090000-1"])
async def test_a_kind_of_row_that_only_the_next_version_knows_does_not_stop_its_account(place: str) -> None:
    """After a rollback: the storage is not rolled back."""
    world = a_world()
    world.ledger.stored[ALEX][place] = ("new_kind", "{}")
    await world.sees(a_finding())

    assert world.directory.enabled[ALEX] is False
    assert world.ledger.stored[ALEX][place] == ("new_kind", "{}")


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_the_key_of_a_row_begins_with_its_kind(kind: str) -> None:
    """Otherwise the version before takes it for a row that was edited by hand, and its account stops."""
    assert ROWS[kind].key.format(row=_Any(kind)).split("-")[0] == kind.split("_", maxsplit=1)[0]


class _Any:
    """A row of a kind, with every field."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        return START if name == "effective_at" else 1 if name == "after_hours" else self


@pytest.mark.parametrize("kind", ["finding", "head", "Finding", "finding-f1", "", 7, None])
def test_a_known_row_whose_kind_was_edited_is_no_row_of_a_newer_version(kind: object) -> None:
    assert not is_of_newer_version(kind, "now-finding-f1")


def trouble_with_the_tenants_case(world: World) -> None:
    """A row of it was edited by hand. The process is new, and remembers nothing."""
    world.deploy()
    world.ledger.fail("load", InputError("corrupt_row", "edited"), about=TENANT_TARGET, always=True)


async def test_a_corrupt_row_of_the_tenant_holds_back_no_answer_about_an_account() -> None:
    """The worker's answer is applied, and what it was asked for is decided."""
    world = World()
    await world.sweep()
    trouble_with_the_tenants_case(world)
    world.now += timedelta(minutes=1)
    world.bypassed[ALEX] = True
    await world.sees(a_hint(effective_at=world.now, received_at=world.now))
    with pytest.raises(InputError):
        await world.answer()

    assert world.directory.enabled[ALEX] is False


async def test_a_corrupt_row_of_the_tenant_holds_back_no_record_beside_an_unreadable_one() -> None:
    world = a_world()
    await poll_audit_feed(world.services)
    trouble_with_the_tenants_case(world)
    blob = ContentBlob(content_id="b", uri="", created=START, expires=START + timedelta(days=7))
    on = a_bypass(
        Id="20fd5006-645b-42be-e9de-000000000001",
        CreationTime="2026-03-02T09:00:00",
        OrganizationId=TENANT,
        ObjectId=ALEX,
        Parameters=named(AuditBypassEnabled="True", Identity="alex@contoso.onmicrosoft.com"),
    )
    world.feed.publish(blob, json.dumps([on | {"Id": 7}, on]).encode())
    world.now += timedelta(minutes=5)
    with pytest.raises(InputError):
        await poll_audit_feed(world.services)
    await problems_of(world.passes(minutes=1))

    assert world.directory.enabled[ALEX] is False


async def test_a_corrupt_row_of_the_tenant_holds_back_no_repeated_command() -> None:
    world = a_world()
    await world.sees(a_finding())
    trouble_with_the_tenants_case(world)
    for _ in range(5):
        await problems_of(world.passes(minutes=12))

    assert len(world.exchange.sent) == 6


async def test_an_alert_that_was_delivered_five_times_is_still_asked_of_exchange() -> None:
    """It is in the poison queue after an outage of storage."""
    world = a_world()
    alert = {
        "id": "1",
        "eventType": "suspected-bypass",
        "subject": "mailbox audit",
        "dataVersion": "1",
        "eventTime": "2026-03-02T08:59:00Z",
        "data": {"tenantId": TENANT, "target": ALEX},
    }
    world.exchange.poison_alerts.append(json.dumps(alert))
    await world.passes(minutes=1)
    await world.passes(minutes=5)

    assert world.exchange.sent


async def test_observe_starts_the_subscription_which_the_documents_say() -> None:
    """Without it there is nothing to observe. It is the one thing that observe starts."""
    world = World(mode="observe")
    world.feed.status = None
    await poll_audit_feed(world.services)
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert world.feed.status == "enabled"
    assert "starts the subscription to the audit feed" in readme


@pytest.fixture
async def work(azurite: str) -> Any:
    clients = connect(Storage(connection_string=SecretStr(azurite)))
    await create_storage(clients, queues=("adversary",))
    yield TableWorkList(clients.tables, "adversary")
    await clients.close()


async def test_bringing_a_work_item_forward_overwrites_no_announcement(work: TableWorkList) -> None:
    """A run that ends overwrites no decision that a person announced between its read and its write.

    Otherwise the decision waits for a day.
    """
    tomorrow = START + timedelta(hours=23)
    ending = await work.touch(ALEX, START)
    await work.finish(await work.touch(ALEX, START), tomorrow)
    read = work._table.get_entity

    async def read_then_announced(*args: Any, **options: Any) -> Any:
        found = await read(*args, **options)
        work._table.get_entity = read  # type: ignore[method-assign]
        await work.touch(ALEX, START)
        return found

    work._table.get_entity = read_then_announced  # type: ignore[method-assign]
    await work.finish(ending, tomorrow - timedelta(minutes=1))
    (item,) = await work.items()

    assert item.due_at == START

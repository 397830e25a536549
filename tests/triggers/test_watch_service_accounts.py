"""Bypassed service accounts are asked about once a day; what a service would not do is a warning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import PermissionMissingError, TransientError
from bypass_responder.evidence.service_accounts import LIST, SOURCES
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.notification import Notification
from bypass_responder.model.question import Empty, Found, Item, Pending
from bypass_responder.operating.allowlist.entries import read_entry
from bypass_responder.operating.allowlist.review import review
from bypass_responder.triggers.gather_evidence import gather_evidence
from tests.fakes import FakeSource
from tests.operating.allowlist.builders import swept
from tests.world import ALEX, BLAKE, START, World, an_entry

SIGN_IN = Item(at=START, what="sign-in", detail={"country": "BR"}, notable="new country: BR")


async def bypassed(**sources: FakeSource) -> World:
    """ALEX is allowlisted and bypassed; every source has nothing unless a test says otherwise."""
    world = World()
    await world.allowlist.put(an_entry(display_name="alex@contoso.onmicrosoft.com", expires_at=START + timedelta(99)))
    swept(world, ALEX)
    world.sources.update({name: FakeSource() for name in SOURCES} | sources)
    return world


async def runs(world: World, **later: float) -> None:
    world.now += timedelta(**later)
    await gather_evidence(world.services)


async def notified(world: World) -> list[str]:
    rows = (await world.case(TENANT_TARGET)).rows(Notification)
    return sorted(str(row.text).split(". ")[1].split(",")[0] for row in rows if row.facts.get("alert") == LIKE)


LIKE = "like_a_person"


async def row(world: World) -> AllowlistEntry:
    found = await world.allowlist.get(ALEX)
    assert isinstance(found, AllowlistEntry)
    return found


async def text_of(world: World) -> str:
    entry = await read_entry(ALEX, world.services)
    assert entry is not None
    return entry.behavior.text


async def test_a_sign_in_is_a_warning_of_its_account_and_kind() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=2, items=(SIGN_IN, SIGN_IN))))
    await runs(world)

    assert LIKE in await world.alerts()
    assert await notified(world) == ["interactive sign-in: BR", "new country: BR"]


async def test_more_signs_than_one_transaction_takes_are_all_notified() -> None:
    items = tuple(SIGN_IN.model_copy(update={"at": START - timedelta(days=number)}) for number in range(30))
    world = await bypassed(sign_ins=FakeSource(Found(count=30, items=items)))
    await runs(world)

    assert len(await notified(world)) == 60


async def test_what_was_reported_is_not_written_again_while_nothing_happens() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    await runs(world)
    await runs(world, hours=23)
    await runs(world, hours=2)
    before = (await world.case(TENANT_TARGET)).rows(HealthAlert)
    for _ in range(12):
        await runs(world, minutes=5)

    assert (await world.case(TENANT_TARGET)).rows(HealthAlert) == before


async def test_the_same_day_is_not_notified_again_and_another_day_is() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    await runs(world)
    await runs(world, hours=25)
    same = len(await notified(world))
    world.sources["sign_ins"].answer = Found(count=1, items=(SIGN_IN.model_copy(update={"at": world.now}),))
    await runs(world, hours=25)

    assert (same, len(await notified(world))) == (2, 4)


async def test_nothing_is_asked_again_within_a_day() -> None:
    world = await bypassed()
    await runs(world)
    await runs(world, hours=23)

    assert len(world.sources["sign_ins"].asked) == 1


async def test_the_alert_ends_a_day_after_the_last_sign() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    await runs(world)
    world.sources["sign_ins"].answer = Empty()
    await runs(world, hours=25)
    await world.passes(hours=2)

    assert LIKE not in await world.alerts()


async def test_the_entry_and_the_review_say_what_was_seen() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    await runs(world)
    [found] = await review(world.services)

    assert (await text_of(world)).startswith("YES, as of")
    assert (found.due, "behaves like a person: interactive sign-in: BR" in found.why) == (True, True)


async def test_without_the_permissions_the_entry_says_that_it_is_not_checked() -> None:
    missing = PermissionMissingError("403", permission="AuditLog.Read.All")
    world = await bypassed(**{name: FakeSource(missing) for name in SOURCES})
    await runs(world)

    assert (await text_of(world)).startswith("not checked: The permission AuditLog.Read.All is missing")
    assert LIKE not in await world.alerts()


async def test_before_the_first_run_and_without_a_bypass_nothing_is_checked() -> None:
    world = await bypassed()
    before = await text_of(world)
    swept(world)
    await runs(world)

    assert (before, await text_of(world)) == ("not checked", "not checked")
    assert world.sources["sign_ins"].asked == []


async def test_an_account_that_is_bypassed_and_not_allowlisted_is_not_asked_about() -> None:
    world = await bypassed()
    swept(world, ALEX, BLAKE)
    assert world.sweeps.kept
    entries = world.sweeps.kept.entries
    entries |= {key: each._replace(covered=each.object_id == ALEX) for key, each in entries.items()}
    await runs(world)

    assert {each.account.object_id for each in await world.gathered.inquiries(LIST)} == {ALEX}


async def test_an_account_without_a_name_on_the_allowlist_is_looked_up() -> None:
    world = await bypassed()
    await world.allowlist.put(an_entry(expires_at=START + timedelta(99)), replaces=(await row(world)).etag)
    await runs(world)
    [(question, _)] = world.sources["exchange_changes"].asked

    assert question.account.user_principal_name == "alex@contoso.onmicrosoft.com"


async def test_a_source_that_takes_its_time_is_asked_again_with_what_it_gave() -> None:
    world = await bypassed(exchange_changes=FakeSource(Pending(memo="query-1")))
    await runs(world)
    world.sources["exchange_changes"].answer = Found(count=1, items=(Item(what="New-InboxRule"),))
    await runs(world, minutes=5)

    assert [memo for _, memo in world.sources["exchange_changes"].asked] == [None, "query-1"]
    assert await notified(world) == ["new inbox rule"]


async def test_a_rule_that_the_mailbox_did_not_have_yesterday_is_a_warning() -> None:
    rules = FakeSource(Found(count=1, items=(Item(what="inbox rule", detail={"name": "archive"}),)))
    world = await bypassed(inbox_rules=rules)
    await runs(world)
    before = await notified(world)
    rules.answer = Found(count=1, items=(Item(what="inbox rule", detail={"name": "to me"}),))
    await runs(world, hours=25)

    assert (before, await notified(world)) == ([], ["new inbox rule: to me"])


async def test_what_was_known_stays_while_a_source_fails() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    await runs(world)
    world.sources["sign_ins"].answer = TransientError("503")
    await runs(world, hours=25)

    assert (await text_of(world)).startswith("YES, as of 2026-03-02 09:00:00Z")


async def test_what_was_answered_is_reported_by_a_later_run_where_the_ledger_fails() -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    world.ledger.fail("commit", TransientError("503"))
    with pytest.raises(ExceptionGroup, match="could not be"):
        await runs(world)
    await runs(world, minutes=5)

    assert len(await notified(world)) == 2
    assert len(world.sources["sign_ins"].asked) == 1


@pytest.mark.parametrize("call", ["inquiries", "start", "put"])
async def test_a_run_that_storage_stopped_is_made_up_for(call: str) -> None:
    world = await bypassed(sign_ins=FakeSource(Found(count=1, items=(SIGN_IN,))))
    world.gathered.fail(call, TransientError("503"))
    with pytest.raises(ExceptionGroup, match="could not be"):
        await runs(world)
    await runs(world, minutes=6)

    assert len(await notified(world)) == 2

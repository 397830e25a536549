"""People hear of an account that cannot be read for 15 minutes while something is due."""

from __future__ import annotations

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, ResponderError, TransientError
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.notification import Notification
from tests.world import ALEX, BLAKE, World, a_finding

ERRORS = [RefusedError("400 Bad Request"), TransientError("503")]


async def unread_for(world: World, error: ResponderError, *, hours: int = 5) -> list[Notification]:
    """Notifications of it while Entra ID refused all reads for some hours, each minute."""
    world.directory.fail("find", error, always=True)
    before = len(world.notifier.sent)
    for _ in range(hours * 60):
        try:
            await world.passes(minutes=1)
        except ExceptionGroup:
            continue
    world.directory.repair("find")
    return [note for note in world.notifier.sent[before:] if note.facts.get("alert") == "accounts_unread"]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_block_that_cannot_be_proven_is_notified_once(error: ResponderError) -> None:
    world = World()
    await world.sees(a_finding())

    sent = await unread_for(world, error)

    assert [note.about for note in sent] == ["health"]
    assert ALEX in sent[0].text
    assert str(error) in sent[0].text


async def test_a_block_that_cannot_be_called_is_notified() -> None:
    world = World()
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())

    sent = await unread_for(world, RefusedError("400"), hours=1)

    assert (len(sent), world.directory.enabled[ALEX]) == (1, True)


async def test_a_check_that_is_due_is_notified() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=1)

    early = await unread_for(world, TransientError("503"), hours=1)
    late = await unread_for(world, TransientError("503"), hours=1)

    assert (len(early), len(late)) == (0, 1)


async def test_a_release_that_cannot_be_proven_is_notified() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    [incident] = await world.incidents()
    await world.decides("release", incident.id)

    sent = await unread_for(world, TransientError("503"), hours=1)

    assert len(sent) == 1


async def test_a_short_outage_and_a_missing_permission_are_not_notified_here() -> None:
    world = World()
    await world.sees(a_finding())

    world.directory.fail("find", TransientError("503"), always=True)
    for _ in range(10):
        with pytest.raises(ExceptionGroup):
            await world.passes(minutes=1)
    world.directory.repair("find")
    await world.passes(minutes=1)
    sent = await unread_for(world, PermissionMissingError("403", permission="User.Read.All"))

    assert sent == []
    assert "Health: response_permission_missing" in {note.title for note in world.notifier.sent}


async def test_many_accounts_are_one_alert_which_ends() -> None:
    world = World()
    await world.sees(a_finding(), a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))

    sent = await unread_for(world, TransientError("503"), hours=1)
    await world.passes(minutes=61)

    assert [note.text.partition(";")[0] for note in sent] == ["2 in all"]
    alert = (await world.case("tenant")).row(HealthAlert, "alert-accounts_unread")
    assert alert is not None
    assert not alert.ongoing


async def test_the_next_outage_is_notified_again() -> None:
    world = World()
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())

    first = await unread_for(world, TransientError("503"), hours=1)
    await world.passes(minutes=61)
    await world.passes(minutes=61)
    again = await unread_for(world, TransientError("503"), hours=25)

    assert (len(first), len(again)) == (1, 1)


async def test_an_outage_of_the_responder_does_not_count() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    world.directory.fail("find", TransientError("503"))

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=90)

    assert "accounts_unread" not in await world.alerts()


async def test_a_storage_error_in_between_does_not_end_the_alert() -> None:
    world = World()
    await world.sees(a_finding())
    await unread_for(world, TransientError("503"), hours=1)
    world.ledger.fail("load", TransientError("storage"), about=ALEX)

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)

    assert "accounts_unread" in await world.alerts()

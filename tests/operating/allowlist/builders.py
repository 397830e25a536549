"""What several tests of the allowlist's tools begin with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.sweep import Baseline, BaselineEntry
from bypass_responder.operating.allowlist.edit import Edit, Made, make, plan_add
from bypass_responder.operating.allowlist.rules import Fields
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from tests.world import ALEX, OPS, START, World, an_account, exchange_guid


def some_fields(**given: Any) -> Fields:
    defaults: dict[str, Any] = {
        "reason_class": "archiving",
        "justification": "journal archive",
        "owner": "ops@contoso.com",
        "ticket": "CHG-1",
        "expires_at": START + timedelta(days=300),
    }
    return Fields(**(defaults | given))


async def makes(world: World, edit: Edit, *, deliver: bool = True, author: Any = OPS) -> Made:
    """The edit is made; the responder gets its report, and a run sees the table."""
    before = len(world.decisions.sent)
    made = await make(edit, world.services, author=author, via="bypassctl", reason="ticket")
    for message in world.decisions.sent[before:] if deliver else []:
        await delivers(world, message)
    await world.passes(minutes=1)
    return made


async def delivers(world: World, message: DecisionMessage, channel: Channel = Channel.BYPASSCTL) -> None:
    await carry_out_decision(message.model_dump_json().encode(), world.services, channel=channel)


async def allowed(world: World, **given: Any) -> AllowlistEntry:
    """ALEX is on the allowlist, and a run has seen it."""
    await world.passes(minutes=1)
    edit = await plan_add(an_account(), some_fields(**given), world.services, author=OPS)
    await makes(world, edit)
    row = await world.allowlist.get(ALEX)
    assert isinstance(row, AllowlistEntry)
    return row


def swept(world: World, *on: str, first: timedelta = timedelta(days=60)) -> None:
    """The last complete sweep listed these accounts; the first was so long ago."""
    entries = {
        exchange_guid(each): BaselineEntry(each, "", world.now - timedelta(days=40), covered=True) for each in on
    }
    world.sweeps.kept = Baseline(
        command_id="c",
        started_at=world.now,
        scanned=1000,
        entries=entries,
        first_at=world.now - first,
        moved_at=world.now,
        etag="v0",
    )

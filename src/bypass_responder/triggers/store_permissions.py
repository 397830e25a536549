"""Notes permissions that were granted and removed, and reports those given only for a while.

The sensors only defer them, in few rows: a script gives thousands at once, and no containment waits for them. The timer
``read_posture`` does the rest. Grant and removal are noted before the other is looked for, so that of two hosts, one
with each record, at least one finds the pair.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.base import moment
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.permissions import FOLDER, MEMBER
from bypass_responder.tampering.short_grants import removed_soon
from bypass_responder.triggers.store_tampering import record_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.permission_change import PermissionChange
    from bypass_responder.services import Services
    from bypass_responder.tampering.short_grants import Removed


ROWS_IN_A_RUN = 20
"""Of what was deferred, each with hundreds of changes; the next run goes on."""
MOST_OF_ONE = 2000
"""Changes of one mailbox, folder or role group that are compared, the newest."""


async def compare_permissions(services: Services) -> None:
    """Store deferred changes, each once, and report each permission that was granted and soon removed."""
    reported = False
    for key, changes in await services.permissions.deferred(ROWS_IN_A_RUN):
        reported |= await _store(changes, services)
        await services.permissions.drop_deferred(key)
    if reported:
        await settle_all({TENANT_TARGET}, services)


async def _store(found: Sequence[PermissionChange], services: Services) -> bool:
    """Return True when a permission was given and soon taken away."""
    await services.permissions.note(found)
    history = limited(partial(services.permissions.of, limit=MOST_OF_ONE))
    histories = await asyncio.gather(*map(history, sorted({each.object for each in found})))
    new = {each.record_id for each in found}
    removed = [
        each
        for history in histories
        for each in removed_soon(history)
        if new & {each.grant.record_id, each.removal.record_id}
    ]
    await record_all([await _row(each, services) for each in _by_command(removed)], services)
    return bool(removed)


def _by_command(removed: Sequence[Removed]) -> list[list[Removed]]:
    """Return the rights that one command takes from one trustee together."""
    groups: dict[tuple[str, ...], list[Removed]] = {}
    for each in removed:
        key = (each.removal.record_id, each.removal.target.casefold(), each.removal.trustee.casefold())
        groups.setdefault(key, []).append(each)
    return list(groups.values())


async def _row(group: list[Removed], services: Services) -> Tampering:
    grant, removal = group[0]
    key = f"{removal.record_id}|{removal.target}|{removal.trustee}".casefold()
    records = [change.model_dump(mode="json") for each in group for change in each]
    return Tampering(
        id=f"grant-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        source=Source.FEED,
        occurred_at=removal.occurred_at,
        received_at=services.clock(),
        technique=Technique.GRANT_REMOVED,
        operation=removal.operation,
        parameter=removal.parameter,
        value=removal.trustee,
        target=removal.target,
        extent=f"{_rights(group)} was given at {moment(grant.occurred_at)} by {grant.actor} with {grant.operation}",
        weakens=True,
        outcome=Outcome.SUCCESS,
        actor=removal.actor,
        evidence=await services.evidence.keep(json.dumps(records)),
    )


def _rights(group: list[Removed]) -> str:
    words = {FOLDER: "A right to the folder", MEMBER: "Membership"}
    return ", ".join(dict.fromkeys(words.get(each.grant.right, each.grant.right) for each in group))

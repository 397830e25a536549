"""What three sensors report about a hundred accounts, in an order by seed and partly more than once."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sandbox.tenant.account import Account
from sandbox.tenant.records import Record, bypass_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.tenant.settings import Settings

    Delivery = Record | bytes | str
    """A record of the feed, an event of Event Grid, or ``SWEEP``."""

SWEEP = "everybody who is on is listed"
SWEEPS = 2
_HINTS = 0.4
"""Of what is no row of a sweep."""
_TOLD = 2
"""So many different records, and hints, for each account."""


@dataclass(frozen=True)
class Events:
    """The accounts that are on, those that are only claimed to be, and what comes in."""

    on: tuple[Account, ...]
    off: tuple[Account, ...]
    deliveries: tuple[Delivery, ...]

    @property
    def count(self) -> int:
        """The number of all records, hints and rows of sweeps.

        All of them come before anybody is switched off.
        """
        sweeps = self.deliveries.count(SWEEP)
        return len(self.deliveries) - sweeps + sweeps * len(self.on)


def by_seed(seed: int, settings: Settings, *, events: int, targets: int) -> Events:
    """``events`` about ``targets``, of whom one in ten is not on and known from hints only.

    Both sweeps are in the first half. Raises ValueError when there are too few events to report every account.
    """
    dice = random.Random(seed)
    people = [Account.named(f"person{number}") for number in range(targets)]
    off, on = people[: targets // 10], people[targets // 10 :]
    rest = events - SWEEPS * len(on)
    hints = [_hint(person, settings, dice) for person in people for _ in range(_TOLD)]
    records = [_record(person, settings, number) for person in on for number in range(_TOLD)]
    count = round(rest * _HINTS)
    order: list[Delivery] = [*_repeated(hints, count, dice), *_repeated(records, rest - count, dice)]
    dice.shuffle(order)
    for _ in range(SWEEPS):
        order.insert(dice.randrange(len(order) // 2), SWEEP)
    return Events(tuple(on), tuple(off), tuple(order))


def _repeated(distinct: Sequence[Delivery], count: int, dice: random.Random) -> list[Delivery]:
    if count < len(distinct):
        msg = f"{count} deliveries for {len(distinct)} different ones"
        raise ValueError(msg)
    return [*distinct, *dice.choices(distinct, k=count - len(distinct))]


def _record(person: Account, settings: Settings, number: int) -> Record:
    at = datetime.now(UTC) - timedelta(minutes=60 - 10 * number)
    return bypass_record(settings, person, f"mallory@{settings.domain}", at=at)


def _hint(person: Account, settings: Settings, dice: random.Random) -> bytes:
    """Half of them know the account by its name only."""
    data = {
        "tenantId": settings.tenant_id,
        "target": dice.choice((person.object_id, person.user_principal_name)),
        "occurredAt": (datetime.now(UTC) - timedelta(minutes=dice.randrange(40, 60))).isoformat(),
    }
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(UUID(int=dice.getrandbits(128), version=4)),
        "source": "/siem",
        "type": "bypass",
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    return json.dumps(event).encode()

"""The accounts that the rows of an import name.

They come from the directory, or from the responder's answers about them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.errors import InputError, PermissionMissingError, RefusedError
from bypass_responder.model.account import Account
from bypass_responder.model.base import Value, guid_or_none
from bypass_responder.model.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bypass_responder.services import Services

ANSWERED_WITHIN = timedelta(days=1)
"""An older answer does not say whose a name is: it may have moved to another account."""
MOST_ANSWERS = 1000
"""Names whose answers are read for one plan."""


class Found(Value):
    """Which account a name stands for.

    ``account`` None: why there is none. ``ask``: the responder may know.
    """

    account: Account | None = None
    problem: str = ""
    ask: bool = False


@dataclass(frozen=True)
class Accounts:
    """What was found by each name."""

    found: Mapping[str, Found]

    def of(self, name: str) -> Found:
        """Return what was found by an object id or user principal name."""
        return self.found.get(name, Found())


async def look_up(names: Iterable[str], services: Services) -> Accounts:
    """Return the accounts by these object ids and user principal names."""
    listed = sorted(names)
    try:
        found = await asyncio.gather(*map(limited(partial(_in_directory, services=services)), listed))
        return Accounts(dict(zip(listed, found, strict=True)))
    except PermissionMissingError:
        pass
    answered = await asyncio.gather(*map(limited(partial(_as_answered, services=services)), listed[:MOST_ANSWERS]))
    many = Found(problem=f"more than {MOST_ANSWERS} accounts of the file must be looked up. Split it")
    return Accounts(dict.fromkeys(listed, many) | dict(zip(listed, answered, strict=False)))


async def _in_directory(name: str, services: Services) -> Found:
    try:
        account = await services.directory.find(name)
    except RefusedError as problem:
        return Found(problem=str(problem).removesuffix("."))
    return Found(account=account, problem="" if account else _no_account(name))


async def _as_answered(name: str, services: Services) -> Found:
    try:
        answer = await services.inspections.of(name)
    except InputError:
        answer = None
    if answer is None or not is_current(answer, services.clock()):
        why = f"it is not known here whose {_named(name)} is. Ask the responder, in the console, or sign in with the"
        return Found(problem=f"{why} permission to read users", ask=True)
    return _found(answer)


def is_current(answer: Inspection, now: datetime) -> bool:
    """Return True when an answer still says whose a name or an object id is."""
    return answer.at >= now - ANSWERED_WITHIN


def _found(answer: Inspection) -> Found:
    if answer.problem:
        return Found(problem=answer.problem.removesuffix("."), ask=True)
    return Found(account=answer.account, problem="" if answer.account else _no_account(answer.name))


def _no_account(name: str) -> str:
    return f"no account of this tenant has the {_named(name)}"


def _named(name: str) -> str:
    return f"object id {name}" if guid_or_none(name) else f"user principal name {name!r:.80}"

"""Identifies the account of a finding by Graph and Exchange; leaves conflicting answers unresolved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.bounded import AT_ONCE
from bypass_responder.decision import Naming, needs_exchange
from bypass_responder.errors import RefusedError
from bypass_responder.model.account import MalformedEntry, row_of
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import STATES, Source
from bypass_responder.model.message import ExchangeOutcome

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bypass_responder.model.account import Account, AllowlistEntry
    from bypass_responder.model.finding import Check, Finding
    from bypass_responder.services import Services


FRESH_SECONDS = 5.0
"""A read that is older is made again: a block rests on what is true now."""


@dataclass(frozen=True)
class Identified:
    """The account, or why there is none.

    ``exchange_on`` is Exchange's answer, None when it was not asked.
    """

    naming: Naming
    account: Account | None = None
    exchange_on: bool | None = None
    read_at: datetime | None = None
    candidates: tuple[Account, ...] = ()
    """Without a single account: the accounts that its names may stand for."""


@dataclass(frozen=True)
class Ask:
    """Only Exchange knows: by object id for the state, or by a name that Graph does not know."""

    object_id: str | None = None
    identity: str | None = None


class Lookups:
    """Reads of accounts and allowlist rows, started as early as possible and shared while they are fresh."""

    def __init__(self, services: Services) -> None:
        """Take the ports, and what this process has read of the whole allowlist a moment ago."""
        self._directory = services.directory
        self._allowlist = services.allowlist
        self._seen = services.misspelled
        self._expected: set[str] = set()
        self._tasks: dict[tuple[str, str], tuple[float, asyncio.Task[object]]] = {}

    def expect(self, finding: Finding) -> None:
        """Start the reads that deciding this finding will need; not of more targets than are settled at once."""
        self._expected.add(finding.target)
        guid = guid_or_none(finding.object_id_text)
        if len(self._expected) > AT_ONCE:
            return
        for name in [guid] if guid else finding.names:
            if _graph_can_know(name):
                self._start("account", name)
        if guid:
            self._start("entry", guid)
            self._start("misspelled", "")

    async def account(self, name: str) -> Account | None:
        """The account with this object id or user principal name."""
        found: Account | None = await self._start("account", name)  # type: ignore[assignment]
        if found is not None:
            by_name = _key("account", found.user_principal_name)
            self._tasks.setdefault(by_name, self._tasks[_key("account", name)])
        return found

    async def entry(
        self, account: Account, *, exchange_guids: Collection[str] = (), now: datetime
    ) -> AllowlistEntry | MalformedEntry | None:
        """The allowlist row of this account; without a valid one, a misspelled row that could mean it.

        ``exchange_guids``: what Exchange calls the account; a row under one of them is misspelled.
        """
        keys = (account.object_id, *exchange_guids)
        misspelled, exact, *others = await asyncio.gather(
            self._start("misspelled", ""), *(self._start("entry", key) for key in keys)
        )
        under_guids = [
            _under_exchange_guid(account, guid) for guid, row in zip(exchange_guids, others, strict=True) if row
        ]
        rows: list[MalformedEntry] = misspelled  # type: ignore[assignment]
        ours: AllowlistEntry | MalformedEntry | None = exact  # type: ignore[assignment]
        return row_of(account, ours, [*under_guids, *rows], now=now)

    async def aclose(self) -> None:
        """Wait for reads that were not awaited, so that none is left running."""
        await asyncio.gather(*(task for _, task in self._tasks.values()), return_exceptions=True)

    def _start(self, what: str, name: str) -> asyncio.Task[object]:
        key = _key(what, name)
        now = asyncio.get_running_loop().time()
        started, task = self._tasks.get(key, (-FRESH_SECONDS, None))
        if task is None or now - started > FRESH_SECONDS:
            task = asyncio.ensure_future(self._read(what, name, key[1]))
            self._tasks[key] = self._seen.at if what == "misspelled" and self._is_seen(now) else now, task
        return task

    async def _read(self, what: str, name: str, key: str) -> object:
        match what:
            case "account":
                return await self._directory.find(name.strip())
            case "entry":
                return await self._allowlist.get(key)
            case _:
                return await self._misspelled()

    async def _misspelled(self) -> list[MalformedEntry]:
        now = asyncio.get_running_loop().time()
        if not self._is_seen(now):
            self._seen.rows, self._seen.at = await self._allowlist.misspelled(), now
        return self._seen.rows

    def _is_seen(self, now: float) -> bool:
        return now - self._seen.at <= FRESH_SECONDS


def _under_exchange_guid(account: Account, guid: str) -> MalformedEntry:
    problem = f"its key {guid} is the account's Guid in Exchange: write a new row under the object id, and delete it"
    return MalformedEntry(object_id=account.object_id, problem=problem)


def _key(what: str, name: str) -> tuple[str, str]:
    return what, name.strip().casefold()


async def identify(finding: Finding, lookups: Lookups, *, now: datetime, doubtful: bool = False) -> Identified | Ask:
    """Resolve the names of a finding; ``doubtful`` always asks Exchange for its present state.

    Raises TransientError when Graph does not answer.
    """
    ask_state = (
        doubtful
        or finding.source in STATES
        or needs_exchange(effective_at=finding.effective_at, confirmed=took_effect(finding), now=now)
    )
    if finding.confirmed_by or _named_by_us(finding):
        account = await lookups.account(finding.target)
        return _known(account, finding, ask_state=ask_state)
    if not finding.names:
        return Identified(Naming.NONE)
    found = {name: await _in_graph(name, lookups) for name in finding.names}
    ids = {account.object_id for account in found.values() if account}
    if len(ids) > 1:
        return await _candidates(Naming.TWO_ACCOUNTS, ids, lookups)
    if finding.source is Source.ACTOR:
        return _actor(finding, found)
    if _direct(finding, found) or (finding.source is Source.HINT and None not in found.values()):
        return _known(next(iter(found.values())), finding, ask_state=ask_state)
    checks = {check.name.casefold(): check for check in finding.checks}
    unknown = [name for name, account in found.items() if account is None] or list(found)[:1]
    for name in unknown:
        if name.casefold() not in checks:
            return Ask(identity=name)
    return await _from_exchange(
        [checks[name.casefold()] for name in unknown], ids, finding, lookups, ask_state=ask_state
    )


def _named_by_us(finding: Finding) -> bool:
    """The Entra id comes from Exchange's own answer to us, not from a record."""
    return finding.source in {Source.RECHECK, Source.SWEEP} and guid_or_none(finding.object_id_text) is not None


def took_effect(finding: Finding) -> bool:
    """True when the record itself reports that the bypass was switched on."""
    return finding.switch is Switch.ON and finding.outcome is Outcome.SUCCESS


def _graph_can_know(name: str) -> bool:
    return guid_or_none(name) is not None or ("@" in name and not set(name) & set(" /\\*?%"))


async def _in_graph(name: str, lookups: Lookups) -> Account | None:
    """Return Graph's account for a name; a name that Graph refuses counts as unknown."""
    try:
        return await lookups.account(name) if _graph_can_know(name) else None
    except RefusedError:
        return None


def _direct(finding: Finding, found: dict[str, Account | None]) -> bool:
    """Return True when ObjectId and Parameters.Identity both resolve to the same account in Graph."""
    if guid_or_none(finding.object_id_text) is None or not finding.identity_text.strip():
        return False
    return None not in found.values()


def _actor(finding: Finding, found: dict[str, Account | None]) -> Identified:
    """Return the account of an actor by its object id. A name alone may have been given to another account since."""
    account = next((account for account in found.values() if account), None)
    if account is None:
        return Identified(Naming.NONE)
    object_id = guid_or_none(finding.object_id_text)
    if object_id is None:
        return Identified(Naming.NAME_ONLY)
    if account.object_id != object_id:
        return Identified(Naming.ANOTHER_BY_NOW)
    return Identified(Naming.ONE_ACCOUNT, account)


def _known(account: Account | None, finding: Finding, *, ask_state: bool) -> Identified | Ask:
    if account is None:
        return Identified(Naming.NONE)
    state = next((check for check in finding.checks if check.object_id == account.object_id), None)
    if state is None and ask_state:
        asked = next((check for check in finding.checks if not check.name), None)
        if asked is None:
            return Ask(object_id=account.object_id)
        match asked.outcome:
            case _ if finding.confirmed_by:
                return Identified(Naming.ONE_ACCOUNT, account, exchange_on=False)
            case ExchangeOutcome.NOT_FOUND:
                return Identified(Naming.NOT_IN_EXCHANGE)
            case ExchangeOutcome.AMBIGUOUS:
                return Identified(Naming.SEVERAL)
            case _:
                return Identified(Naming.REFUSED)
    if state is None:
        return Identified(Naming.ONE_ACCOUNT, account)
    return Identified(Naming.ONE_ACCOUNT, account, state.bypass_on, state.read_at)


async def _from_exchange(
    checks: list[Check], ids: set[str], finding: Finding, lookups: Lookups, *, ask_state: bool
) -> Identified | Ask:
    if any(check.outcome is ExchangeOutcome.AMBIGUOUS for check in checks):
        named = ids.union(*(check.candidates for check in checks))
        return await _candidates(Naming.SEVERAL, named, lookups)
    guid = guid_or_none(finding.object_id_text)
    if any(check.outcome is ExchangeOutcome.REFUSED for check in checks):
        return await _by_object_id(guid, ids, finding, lookups, otherwise=Naming.REFUSED)
    if any(check.object_id is None for check in checks):
        return await _by_object_id(guid, ids, finding, lookups, otherwise=Naming.NONE)
    resolved = ids | {check.object_id for check in checks if check.object_id}
    if len(resolved) > 1:
        return await _candidates(Naming.TWO_ACCOUNTS, resolved, lookups)
    object_id = next(iter(resolved))
    immutable = ids.union(*((check.object_id, check.exchange_guid) for check in checks))
    if (guid is None or guid not in immutable) and not any(check.bypass_on for check in checks):
        return await _candidates(Naming.NAME_MAY_HAVE_MOVED, resolved, lookups)
    return _known(await lookups.account(object_id), finding, ask_state=ask_state)


async def _by_object_id(
    guid: str | None, ids: set[str], finding: Finding, lookups: Lookups, *, otherwise: Naming
) -> Identified | Ask:
    """Resolve an object id that Graph knows beside an unknown name: Exchange has to report it on.

    The name may have been an alias that the attacker has removed, or one that the worker does not look up.
    """
    if guid is None or guid not in ids:
        return await _candidates(otherwise, ids, lookups)
    found = _known(await lookups.account(guid), finding, ask_state=True)
    known = isinstance(found, Ask) or found.exchange_on
    return found if known else await _candidates(otherwise, ids, lookups)


async def _candidates(naming: Naming, ids: set[str], lookups: Lookups) -> Identified:
    """Without a single account: the accounts that its names may stand for."""
    accounts = [await lookups.account(object_id) for object_id in sorted(ids)]
    return Identified(naming, candidates=tuple(account for account in accounts if account))

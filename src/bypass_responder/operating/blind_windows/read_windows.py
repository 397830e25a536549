"""Every known time for which records do not exist, about an account or about all of them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.bounded import limited
from bypass_responder.errors import ConflictError, InputError, ResponderError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import Utc, Value, counted, is_target_key
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.incident import Incident
from bypass_responder.model.listing import IndexEntry, IndexFilter
from bypass_responder.model.technique import SWITCHES, Technique
from bypass_responder.operating.blind_windows.allowlisted import has_allowlisted, of_allowlisted, of_baseline
from bypass_responder.operating.blind_windows.known_window import KnownWindow, of_incident, of_tenant, overlapping
from bypass_responder.operating.blind_windows.missing_records import ACTION_TYPES, STILL_RECORDED
from bypass_responder.operating.blind_windows.shortened_lists import of_lists
from bypass_responder.operating.status import MOST_OF_TECHNIQUES, changes_of
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bypass_responder.model.sweep import Baseline
    from bypass_responder.services import Services

MOST_INCIDENTS = 200
"""Newest incidents whose windows are read."""
MOST_BESIDES = 50
"""The same, for what is shown beside an incident."""
_KINDS = {"incident": "incidents", "stood_down": "findings that opened no incident"}


class BlindWindows(Value):
    """For whom and when records do not exist. ``account`` empty: of all accounts."""

    read_at: Utc
    account: str
    since: Utc | None
    own: tuple[KnownWindow, ...]
    """Of the account: its actions, in every mailbox it can open. Of all accounts: those of each."""
    organization: tuple[KnownWindow, ...]
    others: tuple[KnownWindow, ...]
    """Of other accounts: what they did in this account's mailbox is not recorded either."""
    mailboxes: tuple[KnownWindow, ...] = ()
    """Of mailboxes: actions of some types in them, by anyone. First those of the named account."""
    action_types: tuple[str, ...] = ACTION_TYPES
    """The types of action of which records are missing; of ``mailboxes``, each has its own."""
    still_recorded: tuple[str, ...] = STILL_RECORDED
    incomplete: tuple[str, ...]
    """What was not read, so that there may be more windows."""

    @property
    def any(self) -> bool:
        """True when there is a window."""
        return self.of_every_type or bool(self.mailboxes)

    @property
    def of_every_type(self) -> bool:
        """True when there is a window in which no action type is recorded."""
        return bool(self.own or self.organization or self.others)


async def read_windows(
    services: Services, account: str = "", *, since: datetime | None = None, most: int = MOST_INCIDENTS
) -> BlindWindows:
    """Return the windows that concern an account, by object id or name; without one, all windows."""
    name = account.strip()
    tenant = (await open_session(TENANT_TARGET, services)).case
    listed = await _listed(name, services, most)
    of_accounts, incomplete = await _of_accounts(listed, services)
    switched = await changes_of(SWITCHES, services)
    if len(switched) >= MOST_OF_TECHNIQUES:
        incomplete.append(f"only the newest {MOST_OF_TECHNIQUES} changes of the organization's switches were read")
    shortened = await changes_of((Technique.ACTION_LIST,), services)
    if len(shortened) >= MOST_OF_TECHNIQUES:
        incomplete.append(f"only the newest {MOST_OF_TECHNIQUES} changes of action lists were read")
    lists = overlapping(sorted(of_lists(shortened), key=_newest_first), since, None)
    found = overlapping(sorted(of_accounts, key=_newest_first), since, None)
    own = [each for each in found if not name or each.target in listed.named or _is_of(each, name)]
    return BlindWindows(
        read_at=services.clock(),
        account=name,
        since=since,
        own=tuple(own),
        organization=overlapping(of_tenant(tenant, switched), since, None),
        others=tuple(each for each in found if each not in own),
        mailboxes=tuple(sorted(lists, key=lambda each: not _is_of(each, name))) if name else lists,
        incomplete=tuple(incomplete),
    )


class WindowsBesides(NamedTuple):
    """The windows that overlap a time, and what was not read, so that there may be more."""

    windows: tuple[KnownWindow, ...]
    incomplete: tuple[str, ...]


async def windows_besides(
    services: Services, target: str | None, start: datetime | None, end: datetime | None
) -> WindowsBesides:
    """Return the windows of other accounts than the target, of mailboxes and of the organization."""
    read = await read_windows(services, most=MOST_BESIDES)
    found = overlapping((*read.organization, *read.own), start, end, besides=target)
    return WindowsBesides((*found, *overlapping(read.mailboxes, start, end)), read.incomplete)


class _Listed(NamedTuple):
    """What the index lists, and the targets of the named account."""

    entries: list[IndexEntry]
    incomplete: list[str]
    named: frozenset[str]


async def _listed(name: str, services: Services, most: int) -> _Listed:
    """Read each kind separately, so that many entries of one hide none of the other."""
    entries: list[IndexEntry] = []
    incomplete: list[str] = []
    named: list[IndexEntry] = []
    for kind, what in _KINDS.items():
        page = await services.index.page(IndexFilter(kinds=(kind,)), limit=most)
        entries += page.entries
        incomplete += [f"only the newest {most} {what} were read"] if page.next else []
        if name:
            wanted = IndexFilter(kinds=(kind,), account=name)
            named += (await services.index.page(wanted, limit=MOST_INCIDENTS)).entries
    return _Listed([*entries, *named], incomplete, frozenset(each.target for each in named))


async def _of_accounts(listed: _Listed, services: Services) -> tuple[list[KnownWindow], list[str]]:
    targets = list(dict.fromkeys(each.target for each in listed.entries))
    read = await asyncio.gather(*map(limited(partial(_case, services=services)), targets))
    cases = {case.target: case for case in read if case}
    unread = len(targets) - len(cases)
    incomplete = [*listed.incomplete, *([f"{counted(unread, 'case')} could not be read"] if unread else [])]
    found = [window for row in _incidents(listed.entries, cases) if (window := of_incident(row))]
    baseline: Baseline | None = None
    try:
        baseline = await services.sweeps.baseline()
    except ResponderError:
        incomplete.append("allowlisted bypasses were not read: see bypassctl accounts bypassed")
    if baseline and baseline.left_out:
        incomplete.append(f"{counted(baseline.left_out, 'bypassed account')} not read: see bypassctl accounts bypassed")
    allowed = {target: case for target, case in cases.items() if has_allowlisted(case)}
    covered = [each for each in baseline.entries.values() if each.covered] if baseline else []
    unseen = [each for each in covered if each.object_id not in allowed]
    rows = [row async for row in services.allowlist.entries()] if allowed or unseen else []
    names = {row.object_id: row.display_name for row in rows if isinstance(row, AllowlistEntry)}
    for target, case in allowed.items():
        found += of_allowlisted(case, baseline, names.get(target, ""))
    return [*found, *(of_baseline(each, names.get(each.object_id or "", "")) for each in unseen)], incomplete


def _incidents(entries: list[IndexEntry], cases: Mapping[str, Case]) -> Iterator[Incident]:
    """Yield the incidents among the entries: a case may have others."""
    by_id = {row.id: row for case in cases.values() for row in case.rows(Incident)}
    for entry_id in dict.fromkeys(each.id for each in entries):
        if entry_id in by_id:
            yield by_id[entry_id]


async def _case(target: str, services: Services) -> Case | None:
    try:
        return await services.ledger.load(target, history=True)
    except (InputError, ConflictError):
        return None


def _is_of(window: KnownWindow, name: str) -> bool:
    wanted = name.casefold()
    return window.target == wanted if is_target_key(wanted) else window.name.casefold().startswith(wanted)


def _newest_first(window: KnownWindow) -> tuple[bool, float]:
    return window.end is not None, -window.start.timestamp() if window.start else 0.0

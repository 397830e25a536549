"""The entries of the allowlist as people see them: state, expiry, editor and review.

Each entry also has whether the bypass is on now.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case import sweep_row
from bypass_responder.errors import InputError, NotFoundError, PermissionMissingError, RefusedError
from bypass_responder.evidence.service_accounts import LIST, Behavior, behaviors
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import Utc, Value, guid_or_none
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.operating.decide import is_approved
from bypass_responder.operating.status import sweep_doubt, sweep_overdue
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.model.sweep import Baseline
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

SOON = timedelta(days=30)
"""Entries that expire within this time are listed on the first page."""


class EntryState(StrEnum):
    """Whether an entry exempts its account."""

    VALID = "valid"
    NOT_APPROVED = "not approved"
    EXPIRED = "expired"
    MALFORMED = "malformed"


class Bypassed(Value):
    """Whether an account is bypassed, as the last complete sweep read it. ``on`` None: not known."""

    on: bool | None = None
    as_of: Utc | None = None
    since: Utc | None = None
    """The start of the first sweep that saw it on."""
    doubt: str = ""
    """Why it may have changed since; empty while the last complete sweep is current."""

    @property
    def now(self) -> bool | None:
        """Whether it is on now; None: unknown since ``as_of``."""
        return None if self.doubt else self.on


class EntryView(Value):
    """One row of the allowlist as people see it."""

    object_id: str
    account: str = ""
    """The user principal name."""
    state: EntryState
    problem: str = ""
    """With malformed: what is wrong, with the fix."""
    reason_class: str = ""
    justification: str = ""
    owner: str = ""
    ticket: str = ""
    documentation: str = ""
    expires_at: Utc | None = None
    days_left: int | None = None
    approved_by: str = ""
    edited_at: Utc | None = None
    edited_by: str = ""
    """As the row names them: anybody who can write the table can type it."""
    via: str = ""
    edit_id: str = ""
    etag: str = ""
    reviewed_at: Utc | None = None
    reviewed_by: str = ""
    review_due: Utc | None = None
    """None: it was never reviewed, so it is due."""
    bypass: Bypassed = Bypassed()
    behavior: Behavior = Behavior()
    """Whether the account behaves like a person. Checked once a day while it is bypassed and allowlisted."""
    unused: bool = False
    """Off in all complete sweeps for 30 days. Set only where ``mark_unused`` looked."""

    @property
    def expires_soon(self) -> bool:
        """True when it expires within 30 days, or has."""
        return self.days_left is not None and self.days_left < SOON.days


async def read_entries(services: Services, check: SelfCheck | None = None) -> list[EntryView]:
    """Return every row of the allowlist, the first to expire first; malformed ones before all.

    ``check``: the app's last self-check, for its SWEEP_OVERDUE_MINUTES.
    """
    swept, known = await read_swept(services, check), await _behaviors(services)
    rows = [row async for row in services.allowlist.entries()]
    unapproved = await _unapproved(rows, services)
    now = services.clock()
    views = [
        view_of(
            row,
            services.settings,
            bypass=swept.bypass_of(row.object_id),
            approved=row.row_id not in unapproved,
            now=now,
        ).model_copy(update={"behavior": known.get(row.object_id, Behavior())})
        for row in rows
    ]
    return sorted(views, key=lambda view: (view.expires_at is not None, view.expires_at, view.object_id))


@dataclass(frozen=True)
class Swept:
    """What the last complete sweep says of each account. Without one, nothing is known."""

    on: Mapping[str, Bypassed]
    other: Bypassed
    """Of an account that is not among them: off, or unknown where the list is bounded."""

    def bypass_of(self, object_id: str) -> Bypassed:
        """Return whether an account was on."""
        return self.on.get(object_id, self.other)


async def read_swept(services: Services, check: SelfCheck | None = None) -> Swept:
    """Return what the last complete sweep says of each account."""
    baseline = await read_baseline(services)
    if baseline is None:
        return Swept({}, Bypassed())
    row = sweep_row.current((await open_session(TENANT_TARGET, services)).case)
    doubt = sweep_doubt(row, now=services.clock(), overdue=sweep_overdue(services, check))
    seen = {"as_of": baseline.started_at, "doubt": doubt}
    on = {
        entry.object_id: Bypassed(on=True, since=entry.on_since, **seen)
        for entry in baseline.entries.values()
        if entry.object_id
    }
    return Swept(on, Bypassed(on=None if baseline.left_out else False, **seen))


async def read_baseline(services: Services) -> Baseline | None:
    """Return the last complete sweep; None before the first, and where it cannot or may not be read."""
    try:
        return await services.sweeps.baseline()
    except (InputError, PermissionMissingError):
        return None


async def read_entry(object_id: str, services: Services, check: SelfCheck | None = None) -> EntryView | None:
    """Return the entry of one account, None when it has none."""
    row = await services.allowlist.get(object_id)
    if row is None:
        return None
    required = services.settings.approval_required
    approved = not required or not isinstance(row, AllowlistEntry) or await is_approved(row, services)
    bypass = (await read_swept(services, check)).bypass_of(object_id)
    view = view_of(row, services.settings, bypass=bypass, approved=approved, now=services.clock())
    return view.model_copy(update={"behavior": (await _behaviors(services)).get(object_id, Behavior())})


async def _behaviors(services: Services) -> dict[str, Behavior]:
    """Return what is known of the accounts' behavior; nothing where it may not be read here."""
    try:
        return behaviors(await services.gathered.inquiries(LIST), now=services.clock())
    except (InputError, PermissionMissingError):
        return {}


async def _unapproved(rows: Iterable[AllowlistEntry | MalformedEntry], services: Services) -> set[str]:
    if not services.settings.approval_required:
        return set()
    entries = [row for row in rows if isinstance(row, AllowlistEntry)]

    async def approved(entry: AllowlistEntry) -> bool:
        return await is_approved(entry, services)

    answers = await asyncio.gather(*map(limited(approved), entries))
    return {entry.row_id for entry, counts in zip(entries, answers, strict=True) if not counts}


def view_of(
    row: AllowlistEntry | MalformedEntry, settings: Settings, *, bypass: Bypassed, approved: bool, now: datetime
) -> EntryView:
    """Return a row as people see it."""
    if isinstance(row, MalformedEntry):
        return EntryView(
            object_id=row.row_id,
            state=EntryState.MALFORMED,
            problem=row.problem,
            edited_at=row.edited_at,
            etag=row.etag,
            bypass=bypass,
        )
    state = EntryState.EXPIRED if row.expires_at <= now else EntryState.VALID if approved else EntryState.NOT_APPROVED
    names = (
        *("reason_class", "justification", "owner", "ticket", "documentation", "expires_at", "approved_by"),
        *("edited_at", "edited_by", "via", "edit_id", "etag", "reviewed_at", "reviewed_by"),
    )
    return EntryView(
        object_id=row.object_id,
        account=row.display_name,
        state=state,
        days_left=(row.expires_at - now) // timedelta(days=1),
        review_due=row.reviewed_at + timedelta(days=settings.allowlist_review_days) if row.reviewed_at else None,
        bypass=bypass,
        **{name: getattr(row, name) for name in names},
    )


def expiring(views: Iterable[EntryView]) -> list[EntryView]:
    """Return the entries that expire within 30 days or have expired, in their order."""
    return [view for view in views if view.expires_soon]


def matching(views: Iterable[EntryView], text: str) -> list[EntryView]:
    """Return the entries with a text in account, id, owner, ticket or reason, in any letter case."""
    wanted = text.strip().casefold()
    return [
        view
        for view in views
        if any(
            wanted in field.casefold()
            for field in (view.account, view.object_id, view.owner, view.ticket, view.justification, view.reason_class)
        )
    ]


async def find_object_id(text: str, services: Services, *, listed: bool = True) -> str:
    """Return the object id for an id, for part of one with an entry, or for a user principal name.

    ``listed`` False: the account may have no entry any more. Raises NotFoundError for none, RefusedError for several.
    The directory is asked for a name that no entry bears.
    """
    if given := guid_or_none(text):
        return given
    rows = [row async for row in services.allowlist.entries()]
    if found := [row for row in rows if _is_named(row, text)]:
        return _only(found, text)
    account = await _in_directory(text, services)
    if account is None or (listed and account not in {row.object_id for row in rows}):
        raise NotFoundError(f"{text} is not on the allowlist. List the entries: bypassctl allowlist list.")
    return account


async def _in_directory(text: str, services: Services) -> str | None:
    """Return the object id of a user principal name; None also where the directory may not be read."""
    if "@" not in text:
        return None
    try:
        account = await services.directory.find(text)
    except (PermissionMissingError, RefusedError):
        return None
    return account.object_id if account else None


def _is_named(row: AllowlistEntry | MalformedEntry, text: str) -> bool:
    name = row.display_name if isinstance(row, AllowlistEntry) else ""
    wanted = text.strip().casefold()
    return bool(wanted) and (name.casefold() == wanted or row.object_id.startswith(wanted))


def _only(rows: Sequence[AllowlistEntry | MalformedEntry], text: str) -> str:
    if len(rows) > 1:
        some = ", ".join(row.object_id for row in rows[:5])
        raise RefusedError(f"{text} matches {len(rows)} entries: {some}. Name one by its object id.")
    return rows[0].object_id

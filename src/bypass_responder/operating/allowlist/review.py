"""The review of the allowlist: what is proposed for each entry, and why. Nothing is changed here."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.allowlist_summary import EXPIRES_SOON
from bypass_responder.evidence.service_accounts import Behavior
from bypass_responder.model.allowlist import ENTRY_KEY, SeenRow
from bypass_responder.model.base import Value, until
from bypass_responder.operating.allowlist.entries import EntryState, EntryView, read_baseline, read_entries

if TYPE_CHECKING:
    from collections.abc import Collection

    from bypass_responder.model.case import Case
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.model.sweep import Baseline
    from bypass_responder.services import Services

UNUSED_FOR = timedelta(days=30)
MOST_MARKED = 200
SWEPT_WITHIN = timedelta(days=1)
"""How old the last complete sweep may be for a statement about use."""


class Proposal(StrEnum):
    """What is proposed for an entry."""

    KEEP = "keep"
    EXTEND = "extend"
    REMOVE = "remove"
    FIX = "fix"
    """The row cannot be read."""


class Review(Value):
    """One entry with the proposal for it."""

    entry: EntryView
    proposal: Proposal
    why: str
    due: bool
    """True when a person has to review it now."""


async def review(services: Services, check: SelfCheck | None = None) -> list[Review]:
    """Return every entry with a proposal: those that are due first. ``check``: the app's last self-check."""
    entries = await mark_unused(await read_entries(services, check), services, most=None)
    now = services.clock()
    found = [proposal_for(entry, unused=entry.unused, now=now) for entry in entries]
    return sorted(found, key=lambda each: (not each.due, list(Proposal).index(each.proposal) * -1))


async def mark_unused(
    entries: list[EntryView], services: Services, *, most: int | None = MOST_MARKED
) -> list[EntryView]:
    """Return the entries, of which those are marked that no complete sweep saw as on for 30 days.

    More than ``most`` of them are not read, because each is a read of the ledger.
    """
    if most is not None and len(entries) > most:
        return entries
    unused = await _unused(entries, await read_baseline(services), services, now=services.clock())
    return [entry.model_copy(update={"unused": entry.object_id in unused}) for entry in entries]


def proposal_for(entry: EntryView, *, unused: bool, now: datetime) -> Review:
    """Return the proposal for one entry. Pure."""
    if entry.behavior.signs:
        shown = f"behaves like a person: {'; '.join(entry.behavior.signs)}"
        ordinary = proposal_for(entry.model_copy(update={"behavior": Behavior()}), unused=unused, now=now)
        return ordinary.model_copy(update={"entry": entry, "why": f"{shown}. {ordinary.why}", "due": True})
    due = entry.review_due is None or entry.review_due <= now
    if entry.state is EntryState.MALFORMED:
        return Review(entry=entry, proposal=Proposal.FIX, why=entry.problem, due=True)
    ends = until(entry.expires_at) if entry.expires_at else "unknown"
    if unused:
        why = f"unused: off in all complete sweeps for {UNUSED_FOR.days} days"
        return Review(entry=entry, proposal=Proposal.REMOVE, why=why, due=True)
    if entry.state is EntryState.EXPIRED:
        return Review(entry=entry, proposal=Proposal.REMOVE, why=f"expired on {ends}", due=True)
    if entry.expires_at is not None and entry.expires_at <= now + EXPIRES_SOON:
        return Review(
            entry=entry, proposal=Proposal.EXTEND, why=f"expires on {ends}: extend it or let it end", due=True
        )
    why = "never reviewed" if entry.reviewed_at is None else f"last reviewed by {entry.reviewed_by}"
    return Review(entry=entry, proposal=Proposal.KEEP, why=why, due=due)


async def _unused(
    entries: list[EntryView], baseline: Baseline | None, services: Services, *, now: datetime
) -> Collection[str]:
    """Return the accounts with an entry that no complete sweep saw as on for 30 days."""
    since = now - UNUSED_FOR
    if baseline is None or baseline.first_at > since or baseline.started_at < now - SWEPT_WITHIN:
        return set()
    candidates = [entry.object_id for entry in entries if entry.bypass.on is False and entry.edited_at is not None]

    async def is_unused(object_id: str) -> bool:
        return not used_since(await services.ledger.load(object_id), since)

    answers = await asyncio.gather(*map(limited(is_unused), candidates))
    return {object_id for object_id, unused in zip(candidates, answers, strict=True) if unused}


def used_since(case: Case, moment: datetime) -> bool:
    """Return True when the account was on after this time, its entry is newer, or neither is known. Pure."""
    seen, head = case.row(SeenRow, ENTRY_KEY), case.head
    if seen is None or seen.valid_since is None or seen.valid_since > moment:
        return True
    signs = (head.off_at, head.restored_at, head.gone_at, head.alone_until, seen.used_at)
    return any(sign is not None and sign > moment for sign in signs)

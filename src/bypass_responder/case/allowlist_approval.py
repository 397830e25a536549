"""A person's approval of an allowlist row, as it was shown to them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import allowlist
from bypass_responder.case.account_state import incidents_of_block
from bypass_responder.case.decision_author import has_written, is_among, is_an_actor, known_as
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.incident import PersonDecision

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case


def approve_entry(
    draft: Draft,
    message: DecisionMessage,
    entry: AllowlistEntry | MalformedEntry | None,
    account: Account | None,
    *,
    channel: Channel,
    itself: Account | None = None,
) -> PersonDecision:
    """Approve an allowlist row as shown to the person, or refuse. ``entry``, ``account``: current state.

    ``itself``: the author's own account, as the directory has it.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    why = out_of_time(message, draft.now) or entry_refusal(draft.case, message, entry, account, itself)
    if why or not isinstance(entry, AllowlistEntry):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    allowlist.approve(draft, entry, by=decision.who)
    log_decision(draft, decision, "allowlist_approved", decision.reason)
    return decision


def entry_refusal(
    case: Case,
    message: DecisionMessage,
    entry: AllowlistEntry | MalformedEntry | None,
    account: Account | None = None,
    itself: Account | None = None,
) -> str:
    """Return why an allowlist row cannot be approved, with the fix; empty when it can."""
    add = "bypassctl allowlist add"
    if entry is None:
        return f"{message.target} is not on the allowlist. Add it: {add}."
    if isinstance(entry, MalformedEntry):
        return f"The allowlist row of {message.target} cannot be read: {entry.problem}. Replace it: {add} --replace."
    if entry.digest() != message.entry_sha256:
        again = f'bypassctl allowlist approve {entry.object_id} --reason "TICKET"'
        return f"The row was changed after it was shown. Read it again: {again}."
    author, known = message.author, known_as(message.author, itself)
    own = (entry.object_id, entry.display_name, *((account.object_id, account.user_principal_name) if account else ()))
    if is_among(known, *own):
        return f"{author.name} cannot approve the entry of their own account. Another person must."
    if has_written(known, entry.approved_by):
        return f"{author.name} wrote the entry. Another person must approve it."
    for incident in incidents_of_block(case):
        if is_an_actor(known, incident):
            return f"{author.name} is an actor of incident {incident.id}. Another person must approve the entry."
    return ""

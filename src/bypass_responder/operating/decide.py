"""Find an incident, show its account's state, send a person's decision and read its outcome."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bypass_responder.case.account_state import active_incidents, left_as_it_is, shown_of
from bypass_responder.case.allowlist import in_force
from bypass_responder.case.allowlist_approval import entry_refusal
from bypass_responder.case.decision_refusal import refusal
from bypass_responder.case.rules import in_force as rules_in_force
from bypass_responder.case.sweep_row import warning_refusal
from bypass_responder.errors import InputError, NotFoundError, RefusedError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import LASTS, DecisionKind, DecisionMessage, Shown
from bypass_responder.model.incident import PersonDecision
from bypass_responder.operating.incident_case import find_entry, incident_in
from bypass_responder.operating.incidents.next_step import effect_of
from bypass_responder.operating.incidents.proof import controls_of
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import Author
    from bypass_responder.model.incident import Incident
    from bypass_responder.services import Services

PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Prepared:
    """A decision that is not sent yet, and what it is about."""

    incident: Incident
    message: DecisionMessage
    controls: str
    """Each control of the incident with what came of it."""
    effect: str
    """What the decision does."""
    left_as_it_is: str
    """What the decision leaves unchanged although a person may expect a change."""
    named: dict[str, str]
    """Of the account that approve names for an unresolved target: a name and a value per line."""


async def prepare(
    kind: DecisionKind,
    entry_id: str,
    services: Services,
    *,
    reason: str,
    author: Author,
    account: str | None = None,
    look_up: bool = True,
) -> Prepared:
    """Return the message for a decision, with what its author is shown. Nothing is sent.

    ``account``: with approve, the object id or user principal name of an unresolved target. Without ``look_up``, where
    the directory may not be read, it is an object id, which the responder looks up itself. Raises NotFoundError,
    InputError for an account with any other decision, and RefusedError for what the responder would refuse, except by
    its MODE.
    """
    if account is not None and kind is not DecisionKind.APPROVE:
        raise InputError("account", f"only approve names an account. Leave it out to {kind.value}.")
    entry, case = await find_entry(entry_id, services)
    incident = incident_in(entry, case)
    found = None
    if account is not None and look_up:
        found = await services.directory.find(account)
        if found is None:
            raise NotFoundError(f"No account has the object id or user principal name {account}.")
    message = message_about(
        kind,
        incident.target,
        services,
        incident_id=incident.id,
        account=found.object_id if found else account,
        shown=shown_of(case, incident),
        author=author,
        reason=reason,
    )
    if why := refusal(case, message, enforce=True):
        raise RefusedError(why)
    named = await _about_named(found, incident, services) if found else {}
    controls = "; ".join(f"{each.name}: {each.result}" for each in controls_of(case, incident.id))
    effect, kept = effect_of(kind, case, incident), left_as_it_is(case, incident, kind)
    return Prepared(incident, message, controls, effect, kept, named)


def message_about(kind: DecisionKind, target: str, services: Services, **about: Any) -> DecisionMessage:  # noqa: ANN401 - its fields
    """Return a message of now, which lasts as long as one may. ``about``: its other fields."""
    now = services.clock()
    return DecisionMessage(
        message_id=services.new_id(),
        tenant_id=services.settings.tenant_id,
        target=target,
        kind=kind,
        sent_at=now,
        not_after=now + LASTS,
        **about,
    )


async def _about_named(account: Account, incident: Incident, services: Services) -> dict[str, str]:
    """Return what is known of the account that a person names: it is the one that will be blocked."""
    case = (await open_session(account.object_id, services)).case
    candidate = next((each for each in incident.candidates if each.object_id == account.object_id), None)
    kinds = {"guest": account.guest, "synchronized": account.on_premises_sync_enabled}
    rules = rules_in_force((await open_session(TENANT_TARGET, services)).case)
    kinds["protected, never blocked"] = rules is not None and account.object_id in rules.protected
    sign_in = ("enabled" if account.account_enabled else "disabled", *(kind for kind, it_is in kinds.items() if it_is))
    return {
        "named account": f"{account}{f', {account.display_name}' if account.display_name else ''}",
        "its sign-in": ", ".join(sign_in),
        "as a candidate": candidate.in_exchange if candidate else "NOT A CANDIDATE: nothing shows that it was bypassed",
        "its incidents": ", ".join(row.id for row in active_incidents(case)) or "none",
    }


async def prepare_acceptance(text: str, services: Services, *, reason: str, author: Author) -> DecisionMessage:
    """Return the message that accepts a warning of the sweeps. Nothing is sent.

    Raises RefusedError for what the responder would refuse.
    """
    if why := warning_refusal((await open_session(TENANT_TARGET, services)).case, text):
        raise RefusedError(why)
    about = {"warning": text, "shown": Shown(), "author": author, "reason": reason}
    return message_about(DecisionKind.ACCEPT_WARNING, TENANT_TARGET, services, **about)


async def prepare_approval(
    object_id: str, services: Services, *, reason: str, author: Author
) -> tuple[AllowlistEntry, DecisionMessage]:
    """Return an account's allowlist entry and the message that approves exactly this row.

    Nothing is sent.
    Raises RefusedError for what the responder would refuse.
    """
    entry = await services.allowlist.get(object_id)
    case = (await open_session(object_id, services, history=True)).case
    message = message_about(
        DecisionKind.APPROVE_ENTRY,
        object_id,
        services,
        entry_sha256=entry.digest() if isinstance(entry, AllowlistEntry) else "0" * 64,
        shown=shown_of(case),
        author=author,
        reason=reason,
    )
    why = entry_refusal(case, message, entry)
    if why or not isinstance(entry, AllowlistEntry):
        raise RefusedError(why)
    return entry, message


def prepare_test(receiver: str | None, services: Services, *, author: Author) -> DecisionMessage:
    """Return the message that asks the app for a test notification. Nothing is sent."""
    about = {"receiver": receiver, "shown": Shown(), "author": author, "reason": "test"}
    return message_about(DecisionKind.TEST_NOTIFICATION, TENANT_TARGET, services, **about)


def prepare_read(services: Services, *, author: Author) -> DecisionMessage:
    """Return the message that asks the app for a read of all mailboxes. Nothing is sent."""
    about = {"shown": Shown(), "author": author, "reason": "asked for a read"}
    return message_about(DecisionKind.READ_POSTURE, TENANT_TARGET, services, **about)


async def is_approved(entry: AllowlistEntry, services: Services) -> bool:
    """Return True when a person has approved the entry as it is now."""
    case = await services.ledger.load(entry.object_id)
    return isinstance(in_force(entry, case, approval_required=True), AllowlistEntry)


async def outcome_of(message: DecisionMessage, services: Services, *, wait_seconds: float = 0) -> PersonDecision | None:
    """Return what the responder recorded for a message; None when it has not, within these seconds."""
    waited = 0.0
    while True:
        recorded = await recorded_outcome(message.target, message.message_id, services)
        if recorded is not None:
            return recorded
        if waited >= wait_seconds:
            return None
        await asyncio.sleep(PAUSE_SECONDS)
        waited += PAUSE_SECONDS


async def recorded_outcome(target: str, message_id: str, services: Services) -> PersonDecision | None:
    """Return what is recorded for a message about a target; None when nothing is."""
    for place in (target, TENANT_TARGET):
        case = await services.ledger.load(place, history=True)
        recorded = case.row(PersonDecision, f"person-{message_id}")
        if recorded is not None:
            return recorded
    return None


async def last_run(services: Services) -> datetime | None:
    """Return the time of the last successful poll of the feed or checkpoint of the log, the later one."""
    cursor, checkpoint = await services.feed_store.cursor(), await services.checkpoints.last()
    moments = [cursor.last_success_at if cursor else None, checkpoint.at if checkpoint else None]
    return max((moment for moment in moments if moment is not None), default=None)

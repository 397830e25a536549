"""Which questions are asked about an incident, when, and when the run gives up on one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bypass_responder.evidence.sources import BY_NAME, SOURCES, Asked, Source
from bypass_responder.model.base import backoff
from bypass_responder.model.change import Actor, ActorKind
from bypass_responder.model.gathered import EvidencePlan, Inquiry, Round, inquiry_key
from bypass_responder.model.incident import Incident
from bypass_responder.model.question import AskedAccount, Empty, Found, Pending, Question, Role, Unavailable

AROUND = timedelta(days=1)
"""Asked about before the blind window and after it."""
HABIT = timedelta(days=7)
"""Before that: what the account usually does."""
LATE = timedelta(hours=24)
"""After auditing was restored: records that arrived late."""
LOOKS = timedelta(minutes=10)
SELDOM = timedelta(hours=1)
"""Between two rounds: for an actor whom a late record names, and for the restoration."""
DAY = timedelta(days=1)
UNRESTORED = timedelta(days=30)
"""How long an incident is watched for its restoration; sign-in logs are not kept longer."""
MOST_ACTORS = 5
GIVE_UP_AFTER = 8
"""Asks that fail in a row."""
PENDING_FOR = timedelta(hours=24)
"""How long a source may still be working."""
RETRY_FIRST, RETRY_LONGEST = timedelta(minutes=1), timedelta(minutes=30)
BY_HAND = "Answer it by hand."
UNKNOWN_ACCOUNT = Unavailable(
    reason="No single account is known.", fix="bypassctl incidents approve --account OBJECT_ID, once it is known"
)
NO_ACCOUNT = Unavailable(
    reason="The actor is not an account of this directory.", fix="docs/runbook.md: contain the actor"
)
NO_APPLICATION = Unavailable(
    reason="No record names the application id.", fix="Find the service principal in Entra by its object id"
)


def plan_for(incident_id: str, *, target: str, opened_at: datetime, now: datetime) -> EvidencePlan:
    """Return the plan of a new incident, due now."""
    return EvidencePlan(incident_id=incident_id, target=target, opened_at=opened_at, next_at=now, began_at=now)


def accounts_of(incident: Incident) -> list[tuple[AskedAccount, frozenset[Role]]]:
    """Return the accounts to ask about: the target, and the first actors.

    One account may have both roles.
    """
    target = incident.account
    hidden = AskedAccount()
    if target is not None:
        hidden = AskedAccount(object_id=target.object_id, user_principal_name=target.user_principal_name)
    found: list[tuple[AskedAccount, frozenset[Role]]] = [(hidden, frozenset({Role.TARGET}))]
    for actor in map(_account_of, incident.actors[:MOST_ACTORS]):
        same = next((at for at, (known, _) in enumerate(found) if _is_one(known, actor)), None)
        if same is None:
            found.append((actor, frozenset({Role.ACTOR})))
        else:
            found[same] = (found[same][0], found[same][1] | {Role.ACTOR})
    return found


def _account_of(actor: Actor) -> AskedAccount:
    name = actor.user_id or ""
    application = actor.kind is ActorKind.APPLICATION
    person = "@" in name and not application
    return AskedAccount(
        object_id=actor.object_id,
        user_principal_name=name if person else "",
        app_id=actor.app_id if application else None,
        application=application,
        name="" if person else name,
    )


def _is_one(known: AskedAccount, actor: AskedAccount) -> bool:
    ids = known.object_id is not None and known.object_id == actor.object_id
    name = known.user_principal_name.casefold()
    return ids or (bool(name) and name == actor.user_principal_name.casefold())


def missing_inquiries(incident: Incident, round_: Round, there: Iterable[Inquiry], *, now: datetime) -> list[Inquiry]:
    """Return the questions of a round that are not stored yet.

    One about no known account is answered at once.
    """
    known = {each.key for each in there}
    missing = {
        key: _inquiry(incident.id, round_, source, role, account, now)
        for account, roles in accounts_of(incident)
        for source in SOURCES
        if (role := source.concerns(account, roles)) and (key := inquiry_key(round_, source.name, account)) not in known
    }
    return list(missing.values())


def _inquiry(
    incident_id: str, round_: Round, source: Source, role: Role, account: AskedAccount, now: datetime
) -> Inquiry:
    answer = None
    if not account.known:
        answer = UNKNOWN_ACCOUNT if role is Role.TARGET else NO_ACCOUNT
    elif source.asks_about is Asked.APPLICATION and account.app_id is None:
        answer = NO_APPLICATION
    return Inquiry(
        incident_id=incident_id,
        round=round_,
        source=source.name,
        role=role,
        account=account,
        next_at=now,
        answer=answer,
        answered_at=now if answer else None,
    )


def question_of(inquiry: Inquiry, incident: Incident, *, now: datetime) -> Question:
    """Return what the source is asked."""
    dark_from = min(incident.blind_from or incident.opened_at, now)
    restored = incident.restored_at
    dark_until = restored if restored and restored >= dark_from else now
    start = dark_from - AROUND
    return Question(
        incident_id=incident.id,
        source=inquiry.source,
        account=inquiry.account,
        role=inquiry.role,
        start=start,
        end=min(now, dark_until + AROUND),
        dark_from=dark_from,
        dark_until=dark_until,
        known_from=start - HABIT,
    )


def in_words(question: Question) -> str:
    """Return the question as the report shows it."""
    source = BY_NAME.get(question.source)
    asked = source.question if source else question.source
    return f"{question.account}, {question.start:%Y-%m-%d %H:%MZ} to {question.end:%Y-%m-%d %H:%MZ}: {asked}"


def answered(inquiry: Inquiry, answer: Found | Empty | Unavailable, *, now: datetime) -> Inquiry:
    """Return the question with its answer."""
    changes = {"answer": answer, "answered_at": now, "memo": None, "problem": ""}
    return inquiry.model_copy(update=changes)


def pending(inquiry: Inquiry, answer: Pending, *, now: datetime) -> Inquiry:
    """Return the question of a source that is still working; unavailable after a day."""
    began = inquiry.first_asked_at or now
    if now - began >= PENDING_FOR:
        hours = PENDING_FOR // timedelta(hours=1)
        return answered(inquiry, given_up(f"The source had no answer within {hours} hours."), now=now)
    changes = {"memo": answer.memo, "next_at": now + answer.after, "failed": 0, "problem": ""}
    return inquiry.model_copy(update=changes)


def failed(inquiry: Inquiry, problem: str, *, now: datetime, wait: timedelta = timedelta()) -> Inquiry:
    """Return the question after a failure: asked again later, or unavailable after ``GIVE_UP_AFTER``."""
    times = inquiry.failed + 1
    if times >= GIVE_UP_AFTER:
        return answered(inquiry, given_up(f"It failed {times} times: {problem}"), now=now)
    later = max(backoff(inquiry.failed, first=RETRY_FIRST, longest=RETRY_LONGEST), min(wait, RETRY_LONGEST))
    return inquiry.model_copy(update={"failed": times, "problem": problem, "next_at": now + later})


def given_up(reason: str) -> Unavailable:
    """Return the answer of a question that stays open. The report adds how to answer it by hand."""
    return Unavailable(reason=reason, fix=BY_HAND)


def next_round(plan: EvidencePlan, incident: Incident, *, now: datetime) -> Round | None:
    """Return the round that begins now, after a complete one; None: not yet, or never."""
    restored = incident.restored_at
    if restored is None or plan.round is Round.LATE:
        return None
    if plan.round is Round.OPENED and plan.began_at <= restored:
        return Round.RESTORED
    return Round.LATE if now >= restored + LATE else None


def look_again_at(plan: EvidencePlan, incident: Incident, *, now: datetime) -> datetime | None:
    """Return when a plan with a complete round is due; None when nothing is left to do."""
    if plan.round is Round.LATE:
        return None
    if incident.restored_at is not None:
        return min(max(incident.restored_at + LATE, now), now + SELDOM)
    age = now - plan.opened_at
    if age >= UNRESTORED:
        return None
    return now + (LOOKS if age < DAY else SELDOM)

"""One ask of one source, within its time: however it ends, the question gets a new state."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from pydantic import ValidationError

from bypass_responder.errors import (
    FeedError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
)
from bypass_responder.evidence.planning import answered, failed, given_up, in_words, pending, question_of
from bypass_responder.evidence.redaction import redacted
from bypass_responder.evidence.sources import BY_NAME, Source
from bypass_responder.model.question import Answer, Empty, Found, Pending, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.model.gathered import Inquiry
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.question import AskedAccount, Question
    from bypass_responder.ports import Clock, EvidenceSource

LEASE = timedelta(minutes=5)
"""A question under way is not asked by another run before."""
MOST_UNFINISHED = 5
"""Asks in a row in which the process ended: the question is not asked again."""
GRACE_SECONDS = 1.0
"""For a canceled ask to end; then it is left alone."""


class Outcome(NamedTuple):
    """The question after an ask, and what the ask brought besides."""

    inquiry: Inquiry
    raw: tuple[dict[str, Any], ...] = ()
    """Records to keep, already without subjects and bodies."""
    failed: bool = False
    """True: the source is left alone for the rest of the run."""


def claimed(inquiry: Inquiry, incident: Incident, *, now: datetime) -> Inquiry:
    """Return the question as stored before it is asked.

    A crash then costs one ask, and only this question's.
    """
    if inquiry.unfinished >= MOST_UNFINISHED:
        text = f"The responder stopped {inquiry.unfinished} times while it asked."
        return answered(inquiry, given_up(text), now=now)
    began = inquiry.first_asked_at if inquiry.memo is not None and inquiry.first_asked_at else now
    changes = {"first_asked_at": began, "unfinished": inquiry.unfinished + 1, "next_at": now + LEASE}
    asked = inquiry.model_copy(update=changes)
    return asked.model_copy(update={"query": in_words(question_of(asked, incident, now=began))})


async def ask(
    inquiry: Inquiry,
    incident: Incident,
    sources: Mapping[str, EvidenceSource],
    clock: Clock,
    *,
    account: AskedAccount | None = None,
    own_ids: frozenset[str] = frozenset(),
) -> Outcome:
    """Ask the source, and return what became of the question. Raises nothing but a cancellation.

    A question whose source still works on it is asked about the same time as before. ``account``: what the directory
    knows of the account, where that is more than the question has. ``own_ids``: of the responder and its worker.
    """
    question = question_of(inquiry, incident, now=inquiry.first_asked_at or clock())
    question = question.model_copy(update={"account": account or question.account, "own_ids": own_ids})
    return await ask_question(inquiry, question, sources, clock)


async def ask_question(
    inquiry: Inquiry, question: Question, sources: Mapping[str, EvidenceSource], clock: Clock
) -> Outcome:
    """Ask the source this, and return what became of the question. Raises nothing but a cancellation."""
    source, adapter = BY_NAME.get(inquiry.source), sources.get(inquiry.source)
    inquiry = inquiry.model_copy(update={"unfinished": 0})
    if source is None or adapter is None:
        none = given_up("This installation has no access to the source.")
        return Outcome(answered(inquiry, none, now=clock()))
    try:
        asked = _kept_part(question, source, clock())
        answer = await _within(source.seconds, adapter.ask(asked, inquiry.memo))
    except TimeoutError:
        return _again(inquiry, f"No answer within {source.seconds:.0f} seconds.", clock())
    except ThrottledError as error:
        return _again(inquiry, str(error), clock(), wait=timedelta(seconds=error.retry_after_seconds))
    except PermissionMissingError as error:
        return Outcome(answered(inquiry, _not_permitted(error.permission, source), now=clock()))
    except (NotFoundError, RefusedError, FeedError) as error:
        return Outcome(answered(inquiry, given_up(str(error)), now=clock()))
    except ResponderError as error:
        return _again(inquiry, str(error), clock())
    except ValidationError as error:
        return _again(inquiry, f"The answer has another shape than expected: {error.title}.", clock())
    except Exception as error:  # noqa: BLE001 - a defect of one source costs only its own question
        return _again(inquiry, f"The source's adapter failed: {type(error).__name__}.", clock())
    taken = _taken(inquiry, _as_far_as_kept(answer, question, source, clock()), clock())
    raw = await asyncio.to_thread(redacted, list(answer.raw)) if isinstance(answer, Found) and answer.raw else ()
    return taken._replace(raw=tuple(raw))


async def _within(seconds: float, asking: Any) -> Answer:  # noqa: ANN401 - a coroutine
    """Wait for an answer. Raises TimeoutError, even when the source does not heed its cancellation."""
    task: asyncio.Task[Answer] = asyncio.ensure_future(asking)
    task.add_done_callback(_seen)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
    if done and not task.cancelled():
        return task.result()
    await asyncio.wait({task}, timeout=GRACE_SECONDS)
    raise TimeoutError


def _seen(task: asyncio.Task[Answer]) -> None:
    """Read what a task raised that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _again(inquiry: Inquiry, problem: str, now: datetime, *, wait: timedelta = timedelta()) -> Outcome:
    return Outcome(failed(inquiry, problem, now=now, wait=wait), failed=True)


def _kept_part(question: Question, source: Source, now: datetime) -> Question:
    """Return the question about the time of which the source has records.

    Raises NotFoundError where there is none.
    A service may refuse a question that begins before it.
    """
    first = source.kept_from(now)
    if source.keeps is None or first is None:
        return question
    if question.end <= first:
        ended = f"what is asked about ended on {question.end:%Y-%m-%d}"
        raise NotFoundError(f"The source keeps {source.keeps.days} days, and {ended}: search a copy of it.")
    return question.model_copy(
        update={"start": max(question.start, first), "known_from": max(question.known_from, first)}
    )


def _as_far_as_kept(answer: Answer, question: Question, source: Source, now: datetime) -> Answer:
    """Return the answer, with a note where the question is about a time that the source no longer has."""
    first = source.kept_from(now)
    if source.keeps is None or first is None or not isinstance(answer, Found | Empty) or question.start >= first:
        return answer
    missing = f"Nothing from before {first:%Y-%m-%d}: the source keeps {source.keeps.days} days."
    return answer.model_copy(update={"note": f"{missing} {answer.note}".strip()})


def _taken(inquiry: Inquiry, answer: Answer, now: datetime) -> Outcome:
    match answer:
        case Found():
            items = tuple(item.model_copy(update={"detail": redacted(item.detail)}) for item in answer.items)
            kept = answer.model_copy(update={"items": items, "raw": ()})
            return Outcome(answered(inquiry, kept, now=now))
        case Empty() | Unavailable():
            return Outcome(answered(inquiry, answer, now=now))
        case Pending():
            return Outcome(pending(inquiry, answer, now=now))
        case _:
            assert_never(answer)


def _not_permitted(permission: str, source: Source) -> Unavailable:
    first = permission.partition(" ")[0]
    optional = first in source.permission.split(" or ")
    fix = f"bypassctl grant --evidence {first}" if optional else "Grant it (docs/permissions.md, Evidence)."
    return Unavailable(reason=f"The permission {permission} is missing.", fix=fix)

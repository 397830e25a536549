"""What the evidence run found, as pages, API, report and bypassctl show it: the newest answers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.evidence.planning import BY_HAND
from bypass_responder.evidence.sources import BY_NAME, SOURCES
from bypass_responder.model.base import Utc, Value, counted
from bypass_responder.model.finding import Evidence
from bypass_responder.model.gathered import Round
from bypass_responder.model.question import Item, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.model.gathered import Inquiry

ROUNDS = tuple(Round)
STATES = ("found", "empty", "unavailable", "open")
IN_PROGRESS = "It is being asked."


class SourceAnswer(Value):
    """What one source answered about one account."""

    source: str
    title: str
    """Of the source."""
    question: str
    """What it was asked, with the account and the time."""
    account: str
    role: Role
    state: Literal["found", "empty", "unavailable", "open"]
    """``open``: the source has not answered yet."""
    summary: str
    """The answer in a sentence."""
    count: int = 0
    items: tuple[Item, ...] = ()
    notable: int = 0
    """How many of the items a person must see."""
    answered_at: Utc | None = None
    reason: str = ""
    """Why the question stays open."""
    fix: str = ""
    """What makes the source available."""
    by_hand: str = ""
    """Where a person finds the same."""
    refresh: str = ""
    """Why a later round could not ask again; the answer is an earlier one's."""
    raw: Evidence | None = None

    @property
    def ways(self) -> str:
        """How to get an answer that is missing: the fix, or by hand."""
        return ". Or: ".join(filter(None, (self.fix.rstrip("."), self.by_hand))) if self.reason else ""


class GatheredView(Value):
    """The evidence from other sources about one incident."""

    state: str
    """How far it is, in a sentence."""
    answers: tuple[SourceAnswer, ...] = ()
    found: int = 0
    empty: int = 0
    unavailable: int = 0
    open: int = 0
    follow_on: tuple[str, ...] = ()
    """The notable items in sentences, each once."""


NOT_PLANNED = GatheredView(
    state="No answer is stored. The run starts within minutes of the incident; if it has not: bypassctl doctor"
)


def gathered_view(inquiries: Sequence[Inquiry]) -> GatheredView:
    """Return the view of all questions of an incident, in the order of the sources."""
    if not inquiries:
        return NOT_PLANNED
    by_question: dict[tuple[str, str], list[Inquiry]] = {}
    for each in sorted(inquiries, key=lambda each: ROUNDS.index(each.round)):
        by_question.setdefault((each.source, each.account.key), []).append(each)
    order = {source.name: number for number, source in enumerate(SOURCES)}
    answers = [_answer(rounds) for rounds in by_question.values()]
    answers.sort(key=lambda each: (order.get(each.source, len(order)), each.role is Role.ACTOR, each.account))
    counts = {
        state: sum(each.state == state for each in answers) for state in ("found", "empty", "unavailable", "open")
    }
    last = max(each.answered_at for each in answers if each.answered_at) if counts["open"] < len(answers) else None
    return GatheredView(
        state=_state(counts, last),
        answers=tuple(answers),
        follow_on=tuple(dict.fromkeys(_notable(answers))),
        **counts,
    )


def _state(counts: dict[str, int], last: Utc | None) -> str:
    parts = [f"{counts[state]} {state}" for state in STATES if counts[state]]
    at = f", last answer {last:%Y-%m-%d %H:%M:%SZ}" if last else ""
    return f"{', '.join(parts)}{at}."


def _notable(answers: Iterable[SourceAnswer]) -> Iterable[str]:
    for answer in answers:
        for item in answer.items:
            if item.notable:
                at = f" at {item.at:%Y-%m-%d %H:%M:%SZ}" if item.at else ""
                yield f"{answer.title}, {answer.account}: {item.what}{at}, {item.notable}"


def _answer(rounds: Sequence[Inquiry]) -> SourceAnswer:
    """Return the newest answer that says something, and why a later round has none."""
    answered = [each for each in rounds if each.answer]
    read = [each for each in answered if each.answer and each.answer.kind != "unavailable"]
    shown = (read or answered or list(rounds))[-1]
    source = BY_NAME.get(shown.source)
    found = {
        "source": shown.source,
        "title": source.title if source else shown.source,
        "question": shown.query or (source.question if source else ""),
        "account": str(shown.account),
        "role": shown.role,
        "answered_at": shown.answered_at,
        "raw": shown.raw,
        "by_hand": source.by_hand if source else "",
        "refresh": _refresh(shown, rounds[-1]),
    }
    answer = shown.answer
    if answer is None:
        problem = f" The last try failed: {shown.problem}" if shown.problem else ""
        return SourceAnswer(state="open", summary=f"{IN_PROGRESS}{problem}", **found)
    if answer.kind == "unavailable":
        reason = {"reason": answer.reason, "fix": "" if answer.fix in {BY_HAND, found["by_hand"]} else answer.fix}
        return SourceAnswer(state="unavailable", summary=f"Unavailable: {answer.reason}", **reason, **found)
    if answer.kind == "empty":
        return SourceAnswer(state="empty", summary=f"No record. {answer.note}".strip(), **found)
    notable = sum(item.notable is not None for item in answer.items)
    marked = f", {notable} notable" if notable else ""
    summary = f"{counted(answer.count, 'record')}{marked}. {answer.note}".strip()
    return SourceAnswer(
        state="found", summary=summary, count=answer.count, items=answer.items, notable=notable, **found
    )


def _refresh(shown: Inquiry, last: Inquiry) -> str:
    if last is shown or last.answer is None:
        return ""
    reason = last.answer.reason if last.answer.kind == "unavailable" else ""
    at = f" at {last.answered_at:%Y-%m-%d %H:%M:%SZ}" if last.answered_at else ""
    return f"Asked again{at}: {reason}" if reason else ""

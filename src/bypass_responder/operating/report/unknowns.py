"""What is not known of an incident, in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.step import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.operating.incidents.view import IncidentView

ALWAYS = "What the account did in mailboxes during the blind window: no record of it exists."


def unknowns(view: IncidentView) -> tuple[str, ...]:
    """Return what the report cannot say."""
    parts = (_of_window, _of_people, _of_account, _of_controls, _of_sources)
    return (ALWAYS, *(sentence for part in parts for sentence in part(view)))


def _of_window(view: IncidentView) -> Iterator[str]:
    if view.blind.start is None:
        yield "When the bypass began."
    elif not view.blind.start_known:
        yield "When the bypass began: it was on before the first proof of it."
    if view.blind.end is None:
        yield "When auditing was restored: that is not proven."
    for each in view.windows_incomplete:
        yield f"Whether there are other times without records: {each}."


def _of_people(view: IncidentView) -> Iterator[str]:
    if not view.actors:
        yield "Who switched the bypass on: no audit record names the actor."
    claimed = sum(not each.verified for each in view.decisions)
    if claimed:
        yield f"Who made {claimed} of {len(view.decisions)} decisions: only the sender's own machine names the author."


def _of_account(view: IncidentView) -> Iterator[str]:
    if view.account is None:
        yield "Which account is meant: no single one is known."
    if view.now.sign_in is None:
        yield "Whether the account can sign in."
    if view.now.bypass is None:
        yield "Whether the bypass is on now."


def _of_controls(view: IncidentView) -> Iterator[str]:
    for each in view.controls:
        if each.acted_at and each.effect in {None, Effect.UNVERIFIED}:
            yield f"Whether {each.name.lower()} had an effect: no read proves it."


def _of_sources(view: IncidentView) -> Iterator[str]:
    for each in view.gathered.answers:
        if each.state in {"unavailable", "open"}:
            why = each.reason or each.summary
            yield f"{each.title}, {each.account}: {why} By hand: {each.by_hand}"

"""What is left for people to do once the responder has done its part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import tasks as task
from bypass_responder.case.tasks import Task
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.account import Account
    from bypass_responder.model.change import Actor
    from bypass_responder.model.step import Step


WAITS = {
    IncidentStatus.HELD: "it needs a decision",
    IncidentStatus.FAILED: "an action failed",
    IncidentStatus.OBSERVED: "nothing was done, because MODE is observe",
}
MOST_CANDIDATES = 3


def blind_window(incident: Incident) -> str:
    """The blind window in words: from the first moment that may be unrecorded to the proven restoration."""
    if incident.about_actor:
        return "none: the account is the actor, and was not bypassed"
    start = "unknown"
    if incident.blind_from:
        start = f"{incident.blind_from:%Y-%m-%d %H:%M:%SZ}"
        start = start if incident.blind_from_proven else f"unknown, before {start}"
    end = f"{incident.restored_at:%Y-%m-%d %H:%M:%SZ}" if incident.restored_at else "not ended"
    return f"{start} … {end}"


def left_to_do(
    incident: Incident | None, *, steps: Sequence[Step] = (), actors: tuple[Actor, ...] = ()
) -> tuple[str, ...]:
    """Return the list for people as text, each line with its command: see ``tasks``."""
    return tuple(map(str, tasks(incident, steps=steps, actors=actors)))


def tasks(incident: Incident | None, *, steps: Sequence[Step] = (), actors: tuple[Actor, ...] = ()) -> tuple[Task, ...]:
    """Return what is left to do: the decision, the actor, on-premises, the gap, the other log sources.

    ``steps``: of the incident. Approval is not listed when none of them can be approved.
    """
    if incident is None:
        return task.contain_actors(actors)
    todo: list[Task] = []
    account = incident.account
    if account and account.on_premises_sync_enabled and not incident.status.final:
        todo += task.disable_on_premises(account.user_principal_name)
    failed = not incident.status.final and any(step.state is StepState.FAILED for step in steps)
    if incident.status in WAITS or failed:
        todo += _decide_or_act(incident, steps)
    if (
        account
        and not incident.about_actor
        and any(
            actor.user_id and actor.user_id.casefold() == account.user_principal_name.casefold()
            for actor in incident.actors
        )
    ):
        todo.append(Task("Actor and target are one account (self-bypass): treat it as compromised or as an insider"))
    todo += task.contain_actors(incident.actors)
    if account and not incident.status.final:
        todo += _credentials(account)
    if incident.about_actor:
        return (*todo, *_at_the_end(incident, steps))
    gap = blind_window(incident)
    return (
        *todo,
        Task(
            f"Document the gap: no record of mailbox actions by this account, in every mailbox it can open, for {gap}"
        ),
        Task(
            "Read other sources for that window: Entra sign-ins, SharePoint and OneDrive audit, Defender for Office "
            "365, message trace, and inbox rules and delegations read directly"
        ),
        *_at_the_end(incident, steps),
    )


def _at_the_end(incident: Incident, steps: Sequence[Step]) -> list[Task]:
    over = incident.status is IncidentStatus.FAILED and _nothing_to_approve(steps)
    if incident.status is not IncidentStatus.CONTAINED and not over:
        return []
    return [
        task.decide("close", incident.id, "At the end, if it was an attack: end the incident and keep the block"),
        task.decide("release", incident.id, "If it was legitimate, give the account back"),
    ]


def _credentials(account: Account) -> list[Task]:
    if account.guest:
        home = account.home_domain or "its home organization"
        return [Task(f"The account is a guest. Ask {home} to revoke its sessions and to reset its password")]
    if account.on_premises_sync_enabled:
        return []
    return [task.reset_password(account.user_principal_name)]


def _decide_or_act(incident: Incident, steps: Sequence[Step]) -> list[Task]:
    """Return the decision, after what has to be done first: a refused call is refused again."""
    decisions, yourself = _decisions(incident, steps), _yourself(incident, steps)
    refused = any(step.state is StepState.FAILED and step.effect is None for step in steps)
    return [*yourself, *decisions] if refused else [*decisions, *yourself]


def _nothing_to_approve(steps: Sequence[Step]) -> bool:
    return bool(steps) and not any(step.approvable for step in steps)


def _is_reverted(steps: Sequence[Step]) -> bool:
    return any(step.effect is Effect.REVERTED for step in steps)


def _why(incident: Incident, steps: Sequence[Step]) -> str:
    if _is_reverted(steps):
        return "the account was enabled again"
    if incident.verdict == "limit_reached":
        return "the hourly limit is reached, which an approval overrides"
    return WAITS.get(incident.status, WAITS[IncidentStatus.FAILED])


def _decisions(incident: Incident, steps: Sequence[Step]) -> list[Task]:
    if _nothing_to_approve(steps):
        return []
    legitimate = task.decide("dismiss", incident.id, "Or, if it is legitimate")
    if _is_reverted(steps):
        legitimate = task.decide("release", incident.id, "Or, if a colleague enabled it and the bypass was legitimate")
    if incident.account is not None:
        first = ", set MODE=enforce, then" if incident.status is IncidentStatus.OBSERVED else ""
        text = f"Decide ({_why(incident, steps)}). To contain the account{first}"
        return [task.decide("approve", incident.id, text), legitimate]
    candidates = sorted(incident.candidates, key=lambda each: each.unlikely)
    named = [
        task.decide("approve", incident.id, f"If it is {candidate}", account=candidate.object_id)
        for candidate in candidates[:MOST_CANDIDATES]
    ]
    if not named:
        named = [
            Task("Find out which account it is. The record has its names", f"bypassctl incidents show {incident.id}"),
            Task("It may be one of those that are bypassed now", "bypassctl accounts bypassed"),
            task.decide("approve", incident.id, "Then contain it", account="OBJECT_ID_OR_UPN"),
        ]
    return [*named, legitimate]


def _yourself(incident: Incident, steps: Sequence[Step]) -> list[Task]:
    """Return the commands for what the responder could not do, or may not."""
    account = incident.account
    if account is None:
        return []
    if _is_reverted(steps):
        return [task.find_who_enabled(account.object_id)]
    stuck = {step.step for step in steps if step.state in {StepState.FAILED, StepState.WITHHELD}}
    todo: list[Task] = []
    if stuck & {StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS}:
        first, *rest = task.block_yourself(account.object_id, shown=account.user_principal_name)
        todo += [first._replace(text=f"To do it yourself. {first.text}"), *rest]
    if StepKind.DISABLE_BYPASS in stuck:
        todo.append(task.switch_off(account.object_id))
    return todo


def with_command(todo: Sequence[str | Task], entry_id: str | None) -> tuple[str | Task, ...]:
    """Return the list, with the command that shows the rest where it names none."""
    if any(isinstance(each, Task) and each.command for each in todo):
        return tuple(todo)
    return (*todo, task.show(entry_id))

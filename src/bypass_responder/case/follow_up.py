"""What is left for people to do once the responder has done its part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.incident import Incident, IncidentStatus
from bypass_responder.model.step import StepState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.change import Actor
    from bypass_responder.model.step import Step


WAITS = {
    IncidentStatus.HELD: "a step is held",
    IncidentStatus.FAILED: "a step failed",
    IncidentStatus.OBSERVED: "nothing was done, MODE is observe",
}


def blind_window(incident: Incident) -> str:
    """The blind window in words: from the first moment that may be unrecorded to the proven restoration."""
    start = "unknown"
    if incident.blind_from:
        start = f"{incident.blind_from:%Y-%m-%d %H:%M:%SZ}"
        start = start if incident.blind_from_proven else f"unknown, before {start}"
    end = f"{incident.restored_at:%Y-%m-%d %H:%M:%SZ}" if incident.restored_at else "still open"
    return f"{start} … {end}"


def left_to_do(
    incident: Incident | None, *, steps: Sequence[Step] = (), actors: tuple[Actor, ...] = ()
) -> tuple[str, ...]:
    """A list for people: the decision, the actor, the on-premises side, the gap, the other log sources.

    ``steps``: of the incident. Approval is not listed when none of them can be approved.
    """
    who = incident.actors if incident else actors
    todo = [
        f"Investigate the actor: {', '.join(str(actor) for actor in who) or 'unknown (search for the audit record)'}"
    ]
    if incident is None:
        return tuple(todo)
    failed = not incident.status.final and any(step.state is StepState.FAILED for step in steps)
    if incident.status in WAITS or failed:
        todo[:0] = _decisions(incident, steps)
    account = incident.account
    if account and any(
        actor.user_id and actor.user_id.casefold() == account.user_principal_name.casefold() for actor in who
    ):
        todo.append("Actor and target are one account (self-bypass): treat it as compromised or as an insider.")
    if account and account.on_premises_sync_enabled and not incident.status.final:
        todo.append(
            "The account is synchronized from on-premises: disable it in Active Directory, reset its password there, "
            "or the next synchronization undoes the block."
        )
    if account and account.guest and not incident.status.final:
        todo.append("The account is a guest: revoking its sessions has no effect; ask its home organization.")
    todo.append(
        f"Document the gap: mailbox actions of this account, in every mailbox it can open, {blind_window(incident)}."
    )
    todo.append(
        "Read other sources for that window: Entra sign-ins, SharePoint and OneDrive audit, Defender for Office 365, "
        "message trace, and inbox rules and delegations read directly."
    )
    return tuple(todo)


def _decisions(incident: Incident, steps: Sequence[Step]) -> list[str]:
    approve, dismiss, close = (
        f'bypassctl incidents {verb} {incident.id} --reason "TICKET"' for verb in ("approve", "dismiss", "close")
    )
    if steps and not any(step.approvable for step in steps):
        return [f"Handle the step that had no effect, then end the incident: {close}"]
    return [
        f"Decide ({WAITS.get(incident.status, WAITS[IncidentStatus.FAILED])}): {approve}",
        f"Or, if it is legitimate: {dismiss}",
    ]


def with_command(todo: tuple[str, ...], entry_id: str | None) -> tuple[str, ...]:
    """Return the list, with the command that shows the rest where it names none."""
    if any("bypassctl " in each for each in todo):
        return todo
    show = f"bypassctl incidents show {entry_id}" if entry_id else "bypassctl status"
    return (*todo, f"Read the rest: {show}")

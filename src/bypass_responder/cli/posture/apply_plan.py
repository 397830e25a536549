"""``bypassctl posture apply``, ``undo`` and ``stop``: carry out a plan, undo a run, or stop it.

The commands ask the responder, which makes the changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.posture.plans import MOST_SHOWN, PINNING
from bypass_responder.cli.posture.runs import RunId, follow
from bypass_responder.cli.send_decision import DryRun, check_reason, send_decision
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Reason,
    Yes,
    confirm,
    say,
    show_table,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.errors import RefusedError
from bypass_responder.model.base import counted
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.plan_run import PlanRun
from bypass_responder.posture.plan_file import read_plan

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage
    from bypass_responder.operating.posture.plan_runs import UndoFile
    from bypass_responder.posture.plan import Plan

OLD = timedelta(days=1)
NOT_READ_BACK = "what it may have changed was not read back"
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has ended, and show its progress.")]


def apply(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="The file that bypassctl posture plan wrote.")],
    *,
    reason: Reason,
    wait: Wait = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Carry out a plan through the responder, mailbox by mailbox. Shows it first, and asks for confirmation.

    Needs MODE=enforce, and the set changes: bypassctl grant
    --exchange-script --set changes. Each mailbox is read again, recorded,
    changed and read back; a mailbox that has changed since the plan is skipped
    and named. At most POSTURE_CHANGES_PER_HOUR mailboxes are changed within any
    60 minutes. For the progress and the undo file: posture applied. With
    --wait, exits 1 unless every mailbox is as planned.
    """
    check_reason(reason)
    plan, content = _read(file)
    _show(plan)

    async def use(responder: Responder) -> DecisionMessage:
        from bypass_responder.operating.posture.plan_runs import prepare_apply

        author = await who_am_i(responder)
        return await prepare_apply(plan, content, responder.services, reason=reason, author=author, upload=not dry_run)

    if not dry_run:
        confirm(f"Change {counted(len(plan.changes), 'mailbox', 'mailboxes')}?", yes=yes)
    message = with_responder(use)
    if dry_run:
        say("Nothing was sent.")
        return
    _send(message, f"plan {plan.sha256[:12]}, {counted(len(plan.changes), 'mailbox', 'mailboxes')}", wait=wait)


def undo(run: RunId, *, reason: Reason, wait: Wait = False, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Undo a run of a plan: each mailbox that it may have changed gets its previous settings back.

    Shows them first, and asks for confirmation. A mailbox that somebody has changed since is
    skipped and named. Needs MODE=enforce. With --wait, exits 1 unless every mailbox
    is as it was.
    """
    found, message = _prepared(DecisionKind.UNDO_PLAN, run, reason)
    _show_undo(found)
    if dry_run:
        say("Nothing was sent.")
        return
    confirm(f"Undo it in {counted(found.may_have_changed, 'mailbox', 'mailboxes')}?", yes=yes)
    _send(message, f"the undo of run {found.id}", wait=wait)


def stop_run(run: RunId, *, reason: Reason, wait: Wait = False) -> None:
    """Stop a run of a plan: no further mailbox is changed. Changes already requested are recorded."""
    found, message = _prepared(DecisionKind.STOP_PLAN, run, reason)
    send_decision(message, f"the stop of run {found.id}", wait=wait)
    if wait:
        follow(found.id)


def _read(file: Path) -> tuple[Plan, bytes]:
    try:
        content = file.read_bytes()
        return read_plan(content), content
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror or error}.", WRONG_CALL)
    except RefusedError as error:
        stop(str(error), WRONG_CALL)


def _show(plan: Plan) -> None:
    shown = [(each.name, each.type, "; ".join(each.why)) for each in plan.changes[:MOST_SHOWN]]
    show_table(("mailbox", "type", "change"), shown)
    if len(plan.changes) > MOST_SHOWN:
        say(f"… and {len(plan.changes) - MOST_SHOWN} more, in the file.")
    if plan.pinning:
        say(PINNING.format(counted(plan.pinning, "logon type leaves", "logon types leave")))
    if plan.read_at is None or datetime.now(UTC) - plan.read_at > OLD:
        say("The settings were read more than a day ago. Mailboxes that have changed since are skipped, and named.")


def _show_undo(run: PlanRun) -> None:
    async def use(responder: Responder) -> UndoFile:
        from bypass_responder.operating.posture.plan_runs import undo_file

        return await undo_file(run, responder.services)

    entries = with_responder(use).entries
    say(f"Run {run.id} of plan {run.plan[:12]}: {run.progress}")
    rows = [(each.name, "; ".join(each.undone_by) or NOT_READ_BACK) for each in entries[:MOST_SHOWN]]
    show_table(("mailbox", "the undo changes"), rows)
    if len(entries) > MOST_SHOWN:
        say(f"… and {len(entries) - MOST_SHOWN} more: bypassctl posture applied {run.id} --undo-file FILE")


def _prepared(kind: DecisionKind, run: str, reason: str) -> tuple[PlanRun, DecisionMessage]:
    check_reason(reason)

    async def use(responder: Responder) -> tuple[PlanRun, DecisionMessage]:
        from bypass_responder.operating.posture.plan_runs import prepare_for_run

        author = await who_am_i(responder)
        return await prepare_for_run(kind, run, responder.services, reason=reason, author=author)

    return with_responder(use)


def _send(message: DecisionMessage, what: str, *, wait: bool) -> None:
    """Send the message, whose id is that of the run."""
    send_decision(message, what, wait=wait)
    if wait:
        follow(message.message_id)
    else:
        say(f"Its progress and undo file: bypassctl posture applied {message.message_id}")

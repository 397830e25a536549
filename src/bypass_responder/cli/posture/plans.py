"""``bypassctl posture plan``: write what would change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.posture.options import (
    Against,
    Columns,
    Missing,
    NotAudited,
    Pinned,
    Types,
    measures_of,
    read_files,
    require_known,
)
from bypass_responder.cli.posture.output import Form
from bypass_responder.cli.posture.reports import read_stored
from bypass_responder.cli.terminal import BAD_NEWS, WRONG_CALL, say, show_table, stop
from bypass_responder.model.base import counted
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.model.plan_run import MOST_CHANGES
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.fixes import fix_of
from bypass_responder.posture.plan import Goal
from bypass_responder.posture.plan import plan as planned
from bypass_responder.posture.verdict import Issue

if TYPE_CHECKING:
    from bypass_responder.posture.baseline import Measures
    from bypass_responder.posture.plan import Plan

MOST_SHOWN = 20
PINNING = "{} Microsoft's default set, and will not get the actions that Microsoft adds."
"""Said of the logon types that a plan pins, with their number."""
Actions = Annotated[
    list[str], typer.Option("--action", metavar="LOGON:ACTION", help="Add an action, such as Owner:MailboxLogin.")
]


def plan(
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the plan to this new file.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Exports as for compare. Without one: what the worker last read."),
    ] = None,
    against: Against = "microsoft",
    actions: Actions = [],  # noqa: B006 - Typer copies it
    age_limit: Annotated[
        int | None, typer.Option("--age-limit", min=1, max=3650, help="Keep audit entries for at least this many days.")
    ] = None,
    types: Types = [],  # noqa: B006 - as above
    missing: Missing = [],  # noqa: B006 - as above
    *,
    pinned: Pinned = False,
    not_audited: NotAudited = False,
    columns: Columns = [],  # noqa: B006 - as above
    most: Annotated[
        int, typer.Option("--most", min=1, max=MOST_CHANGES, help="Plan at most this many mailboxes, the worst first.")
    ] = MOST_CHANGES,
) -> None:
    """Write a plan that would make mailboxes audit more to a file. Changes nothing itself.

    Logon types return to Microsoft's default set if that audits at least as
    much; otherwise actions are added. With --baseline cis or possible, its
    actions are added, which pins the logon type, and its age limit is set.
    No change reduces auditing. Without a change, no file is written. To
    carry out the plan: bypassctl posture apply.

    Exit code 1: the read is partial, so the plan may lack mailboxes.
    """
    if str(output) in {"-", *Form}:
        stop(f"--output is the file of the plan, such as plan.json, not {output}.", WRONG_CALL)
    if output.exists():
        stop(f"{output} already exists. Name another file.", WRONG_CALL)
    wanted = RowFilter(types=tuple(types), missing=tuple(missing), pinned=pinned, not_audited=not_audited)
    measures = measures_of(against)
    goal = goal_of(measures, actions, age_limit)
    found = compare(read_files(files, columns), measures) if files else read_stored(measures, wanted).found
    require_known(wanted, found)
    made = planned(found, wanted.of(found.rows), goal, made_at=datetime.now(UTC), most=most)
    if off := found.organization.off:
        say(f"No plan changes this: {off}. {fix_of(Issue.ORGANIZATION_OFF, found)}", style="bold red")
    _show(made, partial=found.partial)
    if made.changes:
        _write(made, output)
    else:
        say(_nothing_to_do(missing))
    raise typer.Exit(BAD_NEWS if found.partial else 0)


def _write(made: Plan, output: Path) -> None:
    try:
        output.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        stop(f"{output} cannot be written: {error.strerror or error}.", WRONG_CALL)
    say(f"{output}  plan {made.sha256[:12]}")
    say(f'To carry it out: bypassctl posture apply {output} --reason "TICKET"')


def goal_of(measures: Measures, actions: list[str], age_limit: int | None) -> Goal:
    """Return the goal that options name. Exits 2 for an action that cannot be audited."""
    baseline = measures.baseline
    added_by_baseline = baseline is not measures.microsoft
    added = {logon: list(baseline.actions[logon]) for logon in LogonType} if added_by_baseline else {}
    for text in actions:
        logon, _, action = text.partition(":")
        named = {each.casefold(): each for each in LogonType}.get(logon.casefold())
        if named is None or not action:
            stop(f"{text!r:.60} is not LOGON:ACTION, such as Owner:MailboxLogin.", WRONG_CALL)
        possible = {each.casefold(): each for each in measures.possible.actions[named]}
        if action.casefold() not in possible:
            stop(f"{named} cannot record {action!r:.60}. It can record: {', '.join(possible.values())}.", WRONG_CALL)
        added.setdefault(named, []).append(possible[action.casefold()])
    days = age_limit or (baseline.age_limit_days if added_by_baseline else None)
    return Goal(actions={logon: tuple(each) for logon, each in added.items()}, age_limit_days=days)


def _nothing_to_do(missing: list[str]) -> str:
    """Return the message that replaces a file."""
    hint = f" To add an action beyond Microsoft's set: --action Owner:{missing[0]}." if missing else ""
    return f"No file was written.{hint}"


def _show(made: Plan, *, partial: bool) -> None:
    if made.changes:
        shown = [(each.name, each.type, "; ".join(each.why)) for each in made.changes[:MOST_SHOWN]]
        show_table(("mailbox", "type", "change"), shown)
    if len(made.changes) > MOST_SHOWN:
        say(f"… and {len(made.changes) - MOST_SHOWN} more, in the file.")
    planned, skipped = counted(len(made.changes), "change"), counted(len(made.skipped), "mailbox", "mailboxes")
    say(f"{planned} planned, {skipped} skipped. Nothing was changed.")
    for each in made.skipped[:MOST_SHOWN]:
        say(f"Skipped: {each.name}: {each.why}")
    if made.pinning:
        say(PINNING.format(counted(made.pinning, "logon type leaves", "logon types leave")))
    if made.left_out:
        more = counted(made.left_out, "more mailbox", "more mailboxes")
        say(f"{more} would change: plan them once these are changed, and read again.")
    if partial:
        say("PARTIAL READ: mailboxes that were not read are not in the plan.", style="bold red")

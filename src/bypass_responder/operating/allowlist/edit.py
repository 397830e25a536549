"""Edits of one entry: planned, made, and reported through the queue.

A plan states what the edit means. The edit is made with an ETag and a stamp.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from bypass_responder.case.account_state import lines_of, shown_of
from bypass_responder.case.allowlist import in_force
from bypass_responder.case.allowlist_edit import own_entry
from bypass_responder.case.allowlist_text import NO_DIFFERENCE, difference, main_difference
from bypass_responder.case.decision_author import author_is
from bypass_responder.decision import Verdict
from bypass_responder.errors import ConflictError, PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import ENTRY_KEY, LONGEST_COLUMN, AllowlistEdit, EditAction, EditedRow, SeenRow
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind, Shown
from bypass_responder.model.inspection import Inspection
from bypass_responder.operating.allowlist.entries import Bypassed, read_swept
from bypass_responder.operating.allowlist.explain import no_longer_covered, sentence
from bypass_responder.operating.allowlist.history import history
from bypass_responder.operating.allowlist.rules import Fields, fields_of, problems_of
from bypass_responder.operating.app_rules import settings_of_app
from bypass_responder.operating.decide import message_about

if TYPE_CHECKING:
    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import Author
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

Via = Literal["bypassctl", "console", "api"]
Row = AllowlistEntry | MalformedEntry | None


class Edit(Value):
    """An edit before it is made: the row before and after, and what a person should know first."""

    action: EditAction
    object_id: str
    account: str
    before: AllowlistEntry | MalformedEntry | None
    after: AllowlistEntry | None
    changes: str
    state: dict[str, str]
    """What the responder last knew of the account: a name and a value per line."""
    says: tuple[str, ...] = ()
    """What the edit means, one sentence each."""
    inspected: Inspection | None = None
    """What the responder last answered about the account, where the console asked."""


class Made(Value):
    """An edit that was made.

    ``reported`` False: the responder was not sent who made it; the row names them.
    """

    edit: Edit
    reported: bool = True


class Around(Value):
    """What an edit is judged by, besides the row."""

    bypass: Bypassed
    in_force: bool
    """True when the present row exempts the account."""
    incidents: tuple[str, ...]
    now: Utc
    state: dict[str, str]
    inspected: Inspection | None = None


async def plan_add(
    account: Account, fields: Fields, services: Services, *, author: Author, replace: bool = False
) -> Edit:
    """Plan to add an entry, or with ``replace`` to replace the one that the account has.

    Raises RefusedError.
    """
    if author_is(author, account):
        raise RefusedError(f"{author.name} cannot allowlist their own account. Another person must.")
    before = await services.allowlist.get(account.object_id)
    entry = AllowlistEntry(object_id=account.object_id, display_name=account.user_principal_name, **dict(fields))
    if before is not None and not replace:
        had = difference(before.columns, _signed(entry, author).columns)
        raise RefusedError(f"{account} has an entry already. {_to_replace(had)}")
    return await _plan(EditAction.ADD, account.object_id, before, entry, services, author=author)


def _to_replace(changes: str) -> str:
    if changes == NO_DIFFERENCE:
        return "It has the same values, so nothing was changed."
    return f"To change single fields: bypassctl allowlist set. To replace it, add --replace; that changes {changes}."


async def plan_set(object_id: str, changes: dict[str, str | datetime], services: Services, *, author: Author) -> Edit:
    """Plan to change fields of an entry. Raises RefusedError when it has these values already."""
    entry = await _entry(object_id, services)
    after = entry.model_copy(update=changes)
    if fields_of(after) == fields_of(entry):
        raise RefusedError(f"The entry of {_name(entry)} has these values already.")
    extends = set(changes) <= {"expires_at", "ticket"} and after.expires_at > entry.expires_at
    action = EditAction.EXTEND if extends else EditAction.SET
    return await _plan(action, object_id, entry, after, services, author=author)


async def plan_remove(object_id: str, services: Services, *, author: Author) -> Edit:
    """Plan to remove an entry. Raises RefusedError when there is none."""
    before = await services.allowlist.get(object_id)
    if before is None:
        raise RefusedError(f"{object_id} is not on the allowlist. List the entries: bypassctl allowlist list.")
    return await _plan(EditAction.REMOVE, object_id, before, None, services, author=author)


async def plan_keep(object_id: str, services: Services, *, author: Author) -> Edit:
    """Plan to record that a person reviewed an entry and keeps it as it is."""
    entry = await _entry(object_id, services)
    return await _plan(EditAction.REVIEW, object_id, entry, entry, services, author=author)


async def plan_undo(object_id: str, services: Services, *, author: Author) -> Edit:
    """Plan to restore the entry as it was before its last change.

    Raises RefusedError where that is not known.
    """
    row = await services.allowlist.get(object_id)
    seen = (await services.ledger.load(object_id)).row(SeenRow, ENTRY_KEY)
    recorded = "" if seen is None or seen.gone_at is not None else seen.etag
    if recorded != (row.etag if row else ""):
        raise RefusedError("The responder has not recorded the last change yet. Try again in a minute.")
    changes = [line for line in history([each async for each in services.ledger.log(object_id)]) if line.seen]
    if not changes:
        raise RefusedError(f"No change of the entry of {object_id} is recorded.")
    last = changes[-1]
    if not last.before:
        return await _plan(EditAction.UNDO, object_id, row, None, services, author=author)
    if "problem" in last.before or not last.is_whole:
        raise RefusedError("The state before the last change is not known in full. Write it again: allowlist add.")
    columns = {name: value for name, value in last.before.items() if value or name != "reviewed_at"}
    after = AllowlistEntry.model_validate(columns | {"object_id": object_id})
    return await _plan(EditAction.UNDO, object_id, row, after, services, author=author)


async def _entry(object_id: str, services: Services) -> AllowlistEntry:
    row = await services.allowlist.get(object_id)
    if row is None:
        raise RefusedError(f"{object_id} is not on the allowlist. Add it: bypassctl allowlist add.")
    if isinstance(row, MalformedEntry):
        raise RefusedError(
            f"The row of {object_id} cannot be read: {row.problem}. Replace it: allowlist add --replace."
        )
    return row


async def _plan(
    action: EditAction, object_id: str, before: Row, after: AllowlistEntry | None, services: Services, *, author: Author
) -> Edit:
    around = await read_around(object_id, before, services)
    if after is not None:
        reviewed = _is_review(action, before, after)
        after = _signed(after, author, reviewed_at=around.now if reviewed else None)
        _refuse_wrong(action, before, after, services, author=author)
    return Edit(
        action=action,
        object_id=object_id,
        account=_name(after or before),
        before=before,
        after=after,
        changes=main_difference(before.columns if before else {}, after.columns if after else {}),
        state=around.state,
        says=consequences(object_id, before, after, around, await settings_of_app(services)),
        inspected=around.inspected,
    )


def _is_review(action: EditAction, before: Row, after: AllowlistEntry) -> bool:
    """Return whether the edit is a review: adding or keeping an entry, or changing its expiry."""
    if action is EditAction.UNDO:
        return False
    if action is EditAction.REVIEW or not isinstance(before, AllowlistEntry):
        return True
    return before.expires_at != after.expires_at


def _signed(entry: AllowlistEntry, author: Author, *, reviewed_at: datetime | None = None) -> AllowlistEntry:
    reviewed = {"reviewed_at": reviewed_at, "reviewed_by": str(author)} if reviewed_at else {}
    return entry.model_copy(update={"approved_by": str(author), **reviewed})


def _refuse_wrong(
    action: EditAction, before: Row, after: AllowlistEntry, services: Services, *, author: Author
) -> None:
    row = EditedRow(object_id=after.object_id, edit_id=services.new_id(), after=after.columns)
    if own_entry(author, row):
        raise RefusedError(f"{author.name} cannot allowlist their own account. Another person must.")
    known = fields_of(before) if isinstance(before, AllowlistEntry) else None
    if action in {EditAction.UNDO, EditAction.REVIEW}:
        return
    if problems := problems_of(fields_of(after), services.settings, now=services.clock(), before=known):
        raise RefusedError(f"{'; '.join(problems)}.")


async def read_around(object_id: str, row: Row, services: Services) -> Around:
    """Return what is known about the account, for the sentences about an edit."""
    settings, now = services.settings, services.clock()
    case = await services.ledger.load(object_id, history=True)
    shown = shown_of(case)
    entry = in_force(row, case, approval_required=settings.approval_required)
    inspected = await services.inspections.of(object_id)
    return Around(
        bypass=await _bypass(object_id, shown, inspected, services),
        in_force=isinstance(entry, AllowlistEntry) and entry.expires_at > now,
        incidents=shown.incidents,
        now=now,
        state=lines_of(shown),
        inspected=inspected,
    )


async def _bypass(object_id: str, shown: Shown, inspected: Inspection | None, services: Services) -> Bypassed:
    """Return the newest state from the last sweep, the account's case and the responder's answer."""
    known = [(await read_swept(services)).bypass_of(object_id)]
    if inspected:
        answered = {"on": inspected.bypassed, "as_of": inspected.bypass_as_of, "since": inspected.bypassed_since}
        known.append(Bypassed(**answered))
    if shown.bypass_at is not None:
        known.append(Bypassed(on=shown.bypass == "on", as_of=shown.bypass_at))
    return max(known, key=lambda each: each.as_of or datetime.min.replace(tzinfo=UTC))


def consequences(
    object_id: str, before: Row, after: AllowlistEntry | None, around: Around, settings: Settings
) -> tuple[str, ...]:
    """Return what an edit means for the account, one sentence each. Pure."""
    on, required = around.bypass.on, settings.approval_required
    found = []
    exempts = after is not None and after.expires_at > around.now
    if not exempts and on is not False:
        found.append(_uncovered(object_id, after, around, settings))
    if exempts and on and not around.in_force:
        listed = f" Its open incidents stay: {', '.join(around.incidents)}." if around.incidents else ""
        found.append(
            f"Its bypass is on already (as of {_as_of(around.bypass)}). The entry covers a bypass that begins after it "
            f"is in force, not this one: a late record of it restores auditing and holds the block.{listed}"
        )
    if after is not None and required and _needs_approval(before, after):
        found.append(
            "It does not count until another person approves it (ALLOWLIST_APPROVAL=required): "
            f'bypassctl allowlist approve {after.object_id} --reason "TICKET". A record of a bypass that arrives '
            "before that restores auditing."
        )
    if exempts and around.in_force and not required:
        found.append("The account stays covered without interruption.")
    return tuple(found)


def _uncovered(object_id: str, after: AllowlistEntry | None, around: Around, settings: Settings) -> str:
    bypass = around.bypass
    since = bypass.since or bypass.as_of or around.now
    decision = no_longer_covered(object_id, after, settings, since=since, now=around.now)
    then = sentence(decision, enforce=settings.enforce)
    if decision.verdict is Verdict.VIOLATION:
        then = f"this account {'will' if settings.enforce else 'would'} be contained at the next sweep. {then}"
    if bypass.on is None:
        return f"It is not known whether its bypass is on. If it is: {then}"
    return f"Bypassed now (as of {_as_of(bypass)}): {then}"


def _as_of(bypass: Bypassed) -> str:
    return f"{bypass.as_of:%Y-%m-%d %H:%M:%SZ}" if bypass.as_of else "unknown"


def _needs_approval(before: Row, after: AllowlistEntry) -> bool:
    return not isinstance(before, AllowlistEntry) or before.digest() != after.digest()


async def make(edit: Edit, services: Services, *, author: Author, via: Via, reason: str) -> Made:
    """Write a planned edit if the row is as it was shown, then report it.

    Raises RefusedError when it is another.
    """
    edit_id = services.new_id()
    replaces = edit.before.etag if edit.before else None
    try:
        if edit.after is not None:
            stamps = {"edit_id": edit_id, "edited_by": str(author), "via": via}
            await services.allowlist.put(edit.after.model_copy(update=stamps), replaces=replaces)
        elif replaces is not None:
            await services.allowlist.remove(edit.object_id, replaces=replaces)
    except ConflictError:
        raise RefusedError(await _both(edit, services)) from None
    row = EditedRow(
        object_id=edit.object_id,
        edit_id=edit_id,
        before=reported_columns(edit.before),
        after=reported_columns(edit.after),
    )
    reported = AllowlistEdit(action=edit.action, via=via, rows=(row,))
    return Made(edit=edit, reported=await report(reported, services, author=author, reason=reason))


def reported_columns(row: Row) -> dict[str, str] | None:
    """Return the columns of a row as a message takes them; None for no row."""
    return {name: value[:LONGEST_COLUMN] for name, value in row.columns.items()} if row else None


async def report(edit: AllowlistEdit, services: Services, *, author: Author, reason: str) -> bool:
    """Send the responder who made an edit.

    False when that fails: the edit is made, and its row names its editor.
    """
    message = message_about(
        DecisionKind.ALLOWLIST_EDIT, TENANT_TARGET, services, edit=edit, shown=Shown(), author=author, reason=reason
    )
    try:
        await services.decisions.send(message)
    except (TransientError, PermissionMissingError):
        return False
    return True


def not_as_read(edit: Edit) -> str:
    """Return what a person reads whose edit was planned for another row than the present one: both states."""
    return (
        f"The entry of {edit.account} is not as you read it: {_editor_of(edit.before)} changed it last. "
        f"Nothing was written. Compared with the entry as it is now, yours would change: {edit.changes}. "
        f"Read the entry again and decide."
    )


def _editor_of(row: Row) -> str:
    return (row.edited_by if isinstance(row, AllowlistEntry) else "") or "an unknown editor"


async def _both(edit: Edit, services: Services) -> str:
    """Return what a conflict is: the change that was to be made, and the one that was made meanwhile."""
    row = await services.allowlist.get(edit.object_id)
    theirs = difference(edit.before.columns if edit.before else {}, row.columns if row else {})
    return (
        f"The entry of {edit.account} was changed by {_editor_of(row)} meanwhile: {theirs}. "
        f"Yours was not made: {edit.changes}. Read the entry and decide again."
    )


def _name(row: Row) -> str:
    if isinstance(row, AllowlistEntry) and row.display_name:
        return f"{row.display_name} ({row.object_id})"
    return row.object_id if row else ""

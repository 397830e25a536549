"""What an import of a file would do, row by row. Nothing is written here."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.case.allowlist_edit import own_entry
from bypass_responder.case.allowlist_text import difference
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import EditedRow
from bypass_responder.model.base import Value, expiry_of, guid_or_none
from bypass_responder.operating.allowlist.csv_file import Line, read_file
from bypass_responder.operating.allowlist.entries import read_swept
from bypass_responder.operating.allowlist.import_lookup import Accounts, Found, look_up
from bypass_responder.operating.allowlist.rules import Fields, fields_of, problems_of, text_problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.model.decision_message import Author
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

Rows = dict[str, AllowlistEntry | MalformedEntry]
ID_DIGITS = 8
"""In a plan id: of the hash of the file, then of the rows."""
STATE_DIGITS = 7
MOST_NAMED = 10
DAMAGED = re.compile(r"[+-]?\d([.,]\d+)?E[+-]\d{2,3}|#+|#[^\s#!?]+[!?]|#N/A|#NV|Err:\d+", re.IGNORECASE)
"""What a spreadsheet shows for a long number, a column that is too narrow, and an error."""


class Verdict(StrEnum):
    """What an import does with one row of the file."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REJECT = "reject"


TO_WRITE = (Verdict.ADD, Verdict.CHANGE)


class PlannedRow(Value):
    """One row of the file, with what becomes of it and why."""

    line: int
    object_id: str
    account: str
    verdict: Verdict
    why: str
    """What changes, or why the row is rejected."""
    before: AllowlistEntry | MalformedEntry | None = None
    after: AllowlistEntry | None = None

    @property
    def state(self) -> str:
        """The verdict's initial and a digest of the entry as it was read, by its ETag."""
        read = f"{self.object_id} {self.before.etag if self.before else ''}"
        return f"{self.verdict.value[0]}{hashlib.sha256(read.encode()).hexdigest()[:STATE_DIGITS]}"


class ImportPlan(Value):
    """What an import would do.

    ``plan_id`` names the file and the state of the entries: it begins with the hash of the file.
    """

    plan_id: str
    sha256: str
    confirmation: str
    """The hash of the file, and the state of each row: what a person confirms who was shown this plan."""
    rows: tuple[PlannedRow, ...]
    ask: tuple[str, ...] = ()
    """Object ids and user principal names of rows that are rejected because only the responder knows the account."""
    says: tuple[str, ...] = ()

    def of(self, *verdicts: Verdict) -> list[PlannedRow]:
        """Return the rows with one of these verdicts."""
        return [row for row in self.rows if row.verdict in verdicts]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows for each verdict."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict.value: counted[verdict] for verdict in Verdict}

    @property
    def todo(self) -> list[PlannedRow]:
        """The rows to write."""
        return self.of(*TO_WRITE)


async def plan_import(data: bytes, services: Services, *, author: Author) -> ImportPlan:
    """Return what an import of these bytes would do. Raises RefusedError for a file that cannot be read.

    An object id without an entry that has the row's name, and every user principal name, is looked up: in the
    directory, where this process may read it, else in what the responder last answered. The name in an entry is a
    claim: it resolves nothing. Nor does the name in a row: it must be that of the entry or of the account.
    """
    file = await asyncio.to_thread(read_file, data)
    rows: Rows = {row.row_id: row async for row in services.allowlist.entries()}
    wanted = {_named(line) for line in file.lines if not _bears_name_of(line, rows)} - {""}
    accounts = await look_up(wanted, services)
    ids = [_object_id(line, accounts) for line in file.lines]
    doubled = {object_id for object_id, count in Counter(filter(None, ids)).items() if count > 1}
    planned = tuple(
        _planned(line, object_id, rows, accounts, doubled, services.settings, author=author, now=services.clock())
        for line, object_id in zip(file.lines, ids, strict=True)
    )
    ask = tuple(name for name in sorted(wanted) if accounts.of(name).ask)
    states = "".join(row.state for row in planned)
    plan = ImportPlan(
        plan_id=file.sha256[:ID_DIGITS] + hashlib.sha256(states.encode()).hexdigest()[:ID_DIGITS],
        sha256=file.sha256,
        confirmation=f"{file.sha256}.{states}",
        rows=planned,
        ask=ask,
    )
    return plan.model_copy(update={"says": await _says(plan, services)})


def _named(line: Line) -> str:
    """Return what a line calls its account: an object id, or a user principal name.

    Empty when it is neither.
    """
    given, name = line.cells.get("object_id", "").strip(), _name(line)
    if given:
        return guid_or_none(given) or ""
    return name if "@" in name and not text_problem("account", name) else ""


def _name(line: Line) -> str:
    return _stripped(line.cells.get("account", ""))


def _stripped(cell: str) -> str:
    return cell.replace("\u00a0", " ").strip()


def _bears_name_of(line: Line, rows: Rows) -> bool:
    """Return True for a line with the object id of an entry, and with its name or without one."""
    entry = rows.get(_named(line))
    return isinstance(entry, AllowlistEntry) and _name(line).casefold() in {
        "",
        _stripped(entry.display_name).casefold(),
    }


def _object_id(line: Line, accounts: Accounts) -> str:
    name = _named(line)
    found = accounts.of(name).account
    return guid_or_none(name) or (found.object_id if found else "")


def _planned(
    line: Line,
    object_id: str,
    rows: Rows,
    accounts: Accounts,
    doubled: set[str],
    settings: Settings,
    *,
    author: Author,
    now: datetime,
) -> PlannedRow:
    """Return what becomes of one row. Pure."""
    before = rows.get(object_id)
    found = accounts.of(_named(line))
    name = before.display_name if isinstance(before, AllowlistEntry) else ""
    name = name or (found.account.user_principal_name if found.account else "")
    unknown = found.problem or ("" if _bears_name_of(line, rows) else _name_problem(line, found))
    fields = _fields(line)
    row = PlannedRow(
        line=line.number,
        object_id=object_id,
        account=name or _name(line),
        verdict=Verdict.REJECT,
        why="",
        before=before,
    )
    if problem := _line_problem(line, object_id, unknown=unknown, doubled=doubled):
        return row.model_copy(update={"why": problem})
    if fields is None:
        return row.model_copy(
            update={"why": f"expires {line.cells['expires']!r:.40} is not a date; use YYYY-MM-DD, the last valid day"}
        )
    had = fields_of(before) if isinstance(before, AllowlistEntry) else None
    if fields == had:
        return row.model_copy(update={"verdict": Verdict.SAME, "why": "no change"})
    after = _after(object_id, name, fields, before, author=author, now=now)
    problems = _damage(fields, had) + problems_of(fields, settings, now=now, before=had)
    if own_entry(author, EditedRow(object_id=object_id, edit_id=object_id, after=after.columns)):
        problems.append("it is your own account; another person must allowlist it")
    if problems:
        return row.model_copy(update={"why": "; ".join(problems)})
    changes = difference(dict(_texts(had)) if had else {}, dict(_texts(fields)))
    verdict = Verdict.ADD if before is None else Verdict.CHANGE
    return row.model_copy(update={"verdict": verdict, "why": changes, "after": after})


def _line_problem(line: Line, object_id: str, *, unknown: str, doubled: set[str]) -> str:
    if problem := line.cells.get(""):
        return problem
    given, name = line.cells["object_id"].strip(), _name(line)
    if given and guid_or_none(given) is None:
        return f"object_id {given!r:.60} is not an object id"
    if not given and not name:
        return "object_id and account are empty"
    if not object_id:
        return text_problem("account", name) or unknown or f"{name!r:.80} is not a user principal name"
    if object_id in doubled:
        return f"several lines are about {object_id}"
    return unknown


def _name_problem(line: Line, found: Found) -> str:
    """Return why the name of a line is not that of the account; empty when it is."""
    account, given = found.account, _name(line)
    known = {"", account.user_principal_name.casefold(), account.display_name.casefold()} if account else set()
    if account is None or given.casefold() in known:
        return ""
    return f"account {given!r:.80} is not the name of {account.object_id}, which is {account.user_principal_name}"


def _fields(line: Line) -> Fields | None:
    """Return the fields of a line; None when its expiry is no date."""
    cells = {name: _stripped(cell) for name, cell in line.cells.items()}
    expires_at = expiry_of(cells.get("expires", ""))
    if expires_at is None:
        return None
    names = ("reason_class", "justification", "owner", "ticket", "documentation")
    return Fields(expires_at=expires_at, **{name: cells[name] for name in names})


def _damage(fields: Fields, had: Fields | None) -> list[str]:
    """Return which texts a spreadsheet has put in the place of others. One that the entry has already is not judged."""
    known = dict(_texts(had)) if had else {}
    texts = [(name, text) for name, text in _texts(fields) if text != known.get(name)]
    return [
        f"{name} {text!r:.40} is what a spreadsheet shows in place of a value; format the column as text and enter it"
        " again"
        for name, text in texts
        if DAMAGED.fullmatch(text)
    ]


def _texts(fields: Fields) -> Iterable[tuple[str, str]]:
    return ((name, str(value)) for name, value in fields.model_dump(mode="json").items())


def _after(
    object_id: str,
    name: str,
    fields: Fields,
    before: AllowlistEntry | MalformedEntry | None,
    *,
    author: Author,
    now: datetime,
) -> AllowlistEntry:
    if isinstance(before, AllowlistEntry):
        entry = before.model_copy(update=dict(fields))
        reviewed = before.expires_at != fields.expires_at
    else:
        entry, reviewed = AllowlistEntry(object_id=object_id, display_name=name, **dict(fields)), True
    review = {"reviewed_at": now, "reviewed_by": str(author)} if reviewed else {}
    return entry.model_copy(update={"approved_by": str(author), **review})


async def _says(plan: ImportPlan, services: Services) -> tuple[str, ...]:
    """Return what people should know before they confirm, one sentence each."""
    on = (await read_swept(services)).on
    dark = [row.account or row.object_id for row in plan.of(Verdict.ADD) if row.object_id in on]
    found = []
    if dark:
        more = f" and {len(dark) - MOST_NAMED} more" if len(dark) > MOST_NAMED else ""
        found.append(
            f"Bypassed already: {', '.join(dark[:MOST_NAMED])}{more}. An entry covers a bypass that begins after it is "
            "in force, not one that is on."
        )
    if services.settings.approval_required and plan.todo:
        found.append(f"None of the {len(plan.todo)} counts until another person approves it (ALLOWLIST_APPROVAL).")
    found.append("Entries that are not in the file stay as they are.")
    return tuple(found)

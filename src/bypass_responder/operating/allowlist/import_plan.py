"""What an import of a file would do, row by row. Nothing is written here."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.allowlist import difference
from bypass_responder.case.allowlist_edit import own_entry
from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import EditedRow
from bypass_responder.model.base import Value, guid_or_none
from bypass_responder.operating.allowlist.csv_file import Line, read_file
from bypass_responder.operating.allowlist.entries import read_swept
from bypass_responder.operating.allowlist.rules import Fields, expiry_of, fields_of, problems_of, text_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import Author
    from bypass_responder.session import Services
    from bypass_responder.settings import Settings

Rows = dict[str, AllowlistEntry | MalformedEntry]
PLAN_DIGITS = 12
"""Of the hash of the file: enough to type, and to tell one file from another."""
MOST_NAMED = 10


class Verdict(StrEnum):
    """What an import does with one row of the file."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REJECT = "reject"


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


class ImportPlan(Value):
    """What an import would do. ``plan_id`` names the file by its hash: the same file has the same plan."""

    plan_id: str
    sha256: str
    rows: tuple[PlannedRow, ...]
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
        return self.of(Verdict.ADD, Verdict.CHANGE)


async def plan_import(data: bytes, services: Services, *, author: Author) -> ImportPlan:
    """Return what an import of these bytes would do. Raises RefusedError for a file that cannot be read.

    An account that has no entry yet is looked up in the directory, where this process may read it.
    """
    file = await asyncio.to_thread(read_file, data)
    rows: Rows = {row.row_id: row async for row in services.allowlist.entries()}
    by_name = {row.display_name.casefold(): key for key, row in rows.items() if isinstance(row, AllowlistEntry)}
    wanted = {_named(line, by_name) for line in file.lines} - {"", *rows}
    accounts = await _accounts(wanted, services)
    ids = [_object_id(line, by_name, accounts or {}) for line in file.lines]
    doubled = {object_id for object_id, count in Counter(filter(None, ids)).items() if count > 1}
    planned = tuple(
        _planned(line, object_id, rows, accounts, doubled, services.settings, author=author, now=services.clock())
        for line, object_id in zip(file.lines, ids, strict=True)
    )
    plan = ImportPlan(plan_id=file.sha256[:PLAN_DIGITS], sha256=file.sha256, rows=planned)
    return plan.model_copy(update={"says": await _says(plan, services, checked=accounts is not None)})


def _named(line: Line, by_name: Mapping[str, str]) -> str:
    """Return what a line calls its account: an object id, or a user principal name. Empty when it is neither."""
    given, name = line.cells.get("object_id", "").strip(), line.cells.get("account", "").strip()
    if given:
        return guid_or_none(given) or ""
    return by_name.get(name.casefold()) or (name if "@" in name and not text_problem("account", name) else "")


def _object_id(line: Line, by_name: Mapping[str, str], accounts: Mapping[str, Account | None]) -> str:
    name = _named(line, by_name)
    found = accounts.get(name)
    return guid_or_none(name) or (found.object_id if found else "")


async def _accounts(names: Iterable[str], services: Services) -> dict[str, Account | None] | None:
    """Return the accounts by these names; None where the directory may not be read."""

    async def find(name: str) -> Account | None:
        try:
            return await services.directory.find(name)
        except RefusedError:
            return None

    listed = sorted(names)
    try:
        found = await asyncio.gather(*map(limited(find), listed))
    except PermissionMissingError:
        return None
    return dict(zip(listed, found, strict=True))


def _planned(
    line: Line,
    object_id: str,
    rows: Rows,
    accounts: Mapping[str, Account | None] | None,
    doubled: set[str],
    settings: Settings,
    *,
    author: Author,
    now: datetime,
) -> PlannedRow:
    """Return what becomes of one row. Pure."""
    before = rows.get(object_id)
    account = (accounts or {}).get(object_id) or (accounts or {}).get(line.cells.get("account", "").strip())
    name = before.display_name if isinstance(before, AllowlistEntry) else ""
    name = name or (account.user_principal_name if account else "") or line.cells.get("account", "").strip()
    known = before is not None or account is not None or accounts is None
    fields = _fields(line)
    row = PlannedRow(line=line.number, object_id=object_id, account=name, verdict=Verdict.REJECT, why="", before=before)
    if problem := _line_problem(line, object_id, known=known, doubled=doubled, checked=accounts is not None):
        return row.model_copy(update={"why": problem})
    if fields is None:
        return row.model_copy(update={"why": f"expires {line.cells['expires']!r:.40} is no date like 2027-01-31"})
    had = fields_of(before) if isinstance(before, AllowlistEntry) else None
    if fields == had:
        return row.model_copy(update={"verdict": Verdict.SAME, "why": "no change"})
    after = _after(object_id, name, fields, before, author=author, now=now)
    problems = problems_of(fields, settings, now=now, before=had)
    problems += [text_problem("account", name)] if before is None and text_problem("account", name) else []
    if own_entry(author, EditedRow(object_id=object_id, edit_id=object_id, after=after.columns)):
        problems.append("it is your own account; another person must allowlist it")
    if problems:
        return row.model_copy(update={"why": "; ".join(problems)})
    changes = difference(dict(_texts(had)) if had else {}, dict(_texts(fields)))
    verdict = Verdict.ADD if before is None else Verdict.CHANGE
    return row.model_copy(update={"verdict": verdict, "why": changes, "after": after})


def _line_problem(line: Line, object_id: str, *, known: bool, doubled: set[str], checked: bool) -> str:
    if problem := line.cells.get(""):
        return problem
    given, name = line.cells["object_id"].strip(), line.cells["account"].strip()
    if given and guid_or_none(given) is None:
        return f"object_id {given!r:.60} is no object id"
    if not given and not name:
        return "object_id and account are empty"
    if not object_id:
        why = f"no account of this tenant has the user principal name {name!r:.80}"
        why = why if checked else f"give the object_id: {name!r:.80} is not known here"
        return text_problem("account", name) or why
    if object_id in doubled:
        return f"several lines are about {object_id}"
    return "" if known else f"no account of this tenant has the object id {object_id}"


def _fields(line: Line) -> Fields | None:
    """Return the fields of a line; None when its expiry is no date."""
    cells = {name: cell.replace("\u00a0", " ").strip() for name, cell in line.cells.items()}
    expires_at = expiry_of(cells.get("expires", ""))
    if expires_at is None:
        return None
    names = ("reason_class", "justification", "owner", "ticket", "documentation")
    return Fields(expires_at=expires_at, **{name: cells[name] for name in names})


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


async def _says(plan: ImportPlan, services: Services, *, checked: bool) -> tuple[str, ...]:
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
    if not checked:
        found.append("The accounts were not checked in the directory: it may not be read here.")
    found.append("Entries that are not in the file stay as they are.")
    return tuple(found)

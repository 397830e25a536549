"""Fields of audit records, read so that a record of another shape is still shown. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bypass_responder.model.base import Utc
from bypass_responder.model.question import Empty, Found, Item, Question

Record = dict[str, Any]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Utc)
_LAST = datetime.max.replace(tzinfo=UTC)
_WRITTEN = re.compile(r"\"[^\"]*\"@[^\s\[\]<>:;,\"']+|[^\s\[\]<>:;,\"]+")
"""A part of a text that may begin with an address: each character belongs to one part."""
_ADDRESS = re.compile(r"(?:\"[^\"]*\"|[^\s\[\]<>:;,\"]+)@[^\s\[\]<>:;,\"']+")
"""The part before the @ may be quoted, or hold an apostrophe."""
_RECIPIENT = re.compile(r'(?:"[^"]{0,500}"|\[[^\[\]]{0,500}\]|[^;])+')
"""One of several, divided by semicolons. A name in quotes may hold one too."""
_BRACKETED = re.compile(r"(?:\[([^\[\]]*)\]|<([^<>]*)>)\s*\Z")
"""The address of a recipient after its name, which may look like another address."""
AWAY = frozenset({"rss feeds", "rss subscriptions", "archive", "conversation history", "junk email", "junk e-mail",
                  "deleted items", "trash", "recoverable items", "sync issues"})  # fmt: skip
"""Folders that nobody opens, by their English names without case."""
LONGEST_QUOTED = 80
"""Characters of a text in a sentence."""
_PLAIN = re.compile(rf"[\w.@+-]{{1,{LONGEST_QUOTED}}}")
NOT_ALL = "Not all of them were read: the service has more."


def moment(given: object) -> datetime | None:
    """Return a time in UTC; None for anything else."""
    try:
        return _MOMENT.validate_python(given) if isinstance(given, str) else None
    except ValidationError:
        return None


def text(record: Record, *names: str) -> str:
    """Return the first of these fields that is not empty, as text."""
    return next((str(found) for name in names if (found := record.get(name)) not in (None, "", [], {})), "")


def objects(record: Record, name: str) -> list[Record]:
    """Return the objects of a list, which some versions of a record have as text."""
    found = record.get(name)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def part(record: Record, name: str) -> Record:
    """Return an object within a record; empty where there is none."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def pairs(record: Record, *names: str) -> dict[str, str]:
    """Return lists of ``Name`` and ``Value``, such as ``Parameters``, as one mapping."""
    listed = [each for name in names for each in objects(record, name)]
    return {text(each, "Name"): text(each, "Value") for each in listed}


def detail(**fields: str | int | None) -> dict[str, str]:
    """Return the fields that have a value."""
    return {name: str(value) for name, value in fields.items() if value not in (None, "")}


def quoted_text(given: str) -> str:
    """Return an outsider's text for a sentence: in quotes and cut, unless it is one word.

    So that nobody reads a client, a rule or a title as words of the responder.
    """
    if _PLAIN.fullmatch(given):
        return given
    one_line = " ".join(given.replace('"', "'").split())
    return f'"{one_line if len(one_line) <= LONGEST_QUOTED else f"{one_line[: LONGEST_QUOTED - 1]}…"}"'


def domain_of(address: str) -> str:
    """Return the part after the last @, without case; empty for a name without one."""
    return address.rpartition("@")[2].strip(" >").casefold() if "@" in address else ""


def outside_of(written: str, account: str) -> list[str]:
    """Return the addresses in a text that are of another domain than the account."""
    return [each for each in _addresses(written) if domain_of(each) != domain_of(account)]


def _addresses(written: str) -> list[str]:
    found = (_ADDRESS.match(part) for part in _WRITTEN.findall(written))
    return [address.group() for address in found if address]


def leaves_home(written: str, account: str) -> bool:
    """Return True where one of the recipients has no address of the account's own domain, as a mail contact.

    Exchange names a contact and a mailbox the same way, ``EX:/o=…``: what is not known to be at home counts as outside.
    """
    recipients = [each.strip() for each in _RECIPIENT.findall(written) if each.strip()]
    return not recipients or any(_is_outside(each, account) for each in recipients)


def _is_outside(recipient: str, account: str) -> bool:
    bracketed = _BRACKETED.search(recipient)
    address = (bracketed[1] or bracketed[2] or "") if bracketed else recipient
    at_home = bool(_addresses(address)) and not outside_of(address, account)
    return not at_home or address.casefold().startswith("ex:")


def takes_away(folder: str, *, marks_as_read: bool) -> str:
    """Return why a rule that moves mail to a folder keeps it from its reader; empty where it does not."""
    name = re.split(r"[\\/]", folder.strip(" \\/\"'"))[-1].strip().casefold()
    if name in AWAY:
        return f"moves mail to {quoted_text(name)}"
    return "moves mail and marks it as read" if folder and marks_as_read else ""


def answer_of(
    records: Sequence[Record],
    question: Question,
    item_of: Callable[[Record, Question], Item],
    *,
    complete: bool = True,
    note: str = "",
) -> Found | Empty:
    """Return one item for each record, in the order of time."""
    return gathered(records, (item_of(each, question) for each in records), complete=complete, note=note)


def gathered(
    records: Sequence[Record], items: Iterable[Item], *, complete: bool = True, note: str = ""
) -> Found | Empty:
    """Return the answer of records that are already items.

    ``complete`` False: the service has more records.
    """
    whole_note = " ".join(part for part in ("" if complete else NOT_ALL, note) if part)
    if not records:
        return Empty(note=whole_note)
    ordered = sorted(items, key=lambda item: item.at or _LAST)
    return Found(count=len(records), items=tuple(ordered), complete=complete, note=whole_note, raw=tuple(records))

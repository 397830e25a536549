"""One mailbox and what it audits, as read: from a line of the worker, or from an export.

Plain tuples, because there are up to a million; equal settings are one object.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from bypass_responder.errors import InputError
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.mailbox_audit import AuditSettings, LogonType
from bypass_responder.posture.baseline import License, exchange_rules

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_PARSE = json.JSONDecoder().raw_decode
_AUDIT = b',"audit":'
"""The last property of a line. In a text its quotes would be escaped."""
_MOST_TAILS = 10_000
Texts = tuple[str, ...] | None
"""A list of Exchange; None where it was not read."""


class Audit(NamedTuple):
    """The Audit* properties of a mailbox. None: not read."""

    enabled: bool | None = None
    age_limit: str | None = None
    """``90.00:00:00`` is 90 days."""
    default_set: Texts = None
    admin: Texts = None
    delegate: Texts = None
    owner: Texts = None

    def actions(self, logon: LogonType) -> Texts:
        """Return the list of a logon type."""
        return {LogonType.ADMIN: self.admin, LogonType.DELEGATE: self.delegate, LogonType.OWNER: self.owner}[logon]

    def in_default_set(self, logon: LogonType) -> bool | None:
        """Return whether Microsoft maintains a logon type's list; None if DefaultAuditSet was not read."""
        if self.default_set is None:
            return None
        return logon.casefold() in map(str.casefold, self.default_set)


class Mailbox(NamedTuple):
    """One mailbox. Identity is ``object_id``, then ``exchange_guid``; never a name."""

    object_id: str | None
    exchange_guid: str | None
    upn: str = ""
    address: str = ""
    display_name: str = ""
    type: str = ""
    """RecipientTypeDetails; empty where it was not read."""
    created_at: str | None = None
    license: License = License.UNKNOWN
    audit: Audit = Audit()
    delegated: bool = False
    """True: other people are known to open it."""

    @property
    def key(self) -> str:
        """Its id, empty where it has none."""
        return self.object_id or self.exchange_guid or ""

    @property
    def names(self) -> frozenset[str]:
        """What a record may call it: its ids and addresses in lower case, never a display name."""
        given = (self.object_id, self.exchange_guid, self.upn.casefold(), self.address.casefold())
        return frozenset(filter(None, given))

    @property
    def name(self) -> str:
        """What people call it."""
        return self.upn or self.address or self.display_name or self.key or "(no name)"


class Bypassed(NamedTuple):
    """An account whose bypass is on, with or without a mailbox."""

    object_id: str | None
    exchange_guid: str | None
    name: str = ""


class MailboxReader:
    """Reads lines of the worker; each distinct list, and each distinct set of settings, is kept once."""

    def __init__(self) -> None:
        """Start without any settings."""
        self._settings: dict[tuple[Any, ...], Audit] = {}
        self._lists: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._tails: dict[bytes, Audit] = {}
        self._licenses: dict[tuple[str, ...], License] = {}
        self._delegated = exchange_rules().delegated

    def line(self, line: bytes) -> Mailbox | Bypassed:
        """Return the mailbox, or the bypassed account, of a line. Raises InputError for one that is neither.

        Most lines end in settings that an earlier line had in the same bytes: these are not parsed again.
        """
        head, mark, tail = line.partition(_AUDIT)
        try:
            if (settings := self._tails.get(tail)) is not None:
                return self._mailbox(_parsed(head + b"}"), settings)
            found = self.row(_parsed(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
            raise InputError("posture_row", f"no mailbox ({type(problem).__name__}: {problem})"[:300]) from None
        if mark and isinstance(found, Mailbox) and len(self._tails) < _MOST_TAILS and _is_last(tail):
            self._tails[tail] = found.audit
        return found

    def row(self, row: dict[str, Any]) -> Mailbox | Bypassed:
        """Return the same of a line that is parsed. Raises ValueError, KeyError, TypeError or AttributeError."""
        return self._mailbox(row, self._of(row["audit"])) if "audit" in row else _bypassed(row)

    def settings(self, audit: Audit) -> Audit:
        """Return the one object with these settings."""
        if (known := self._settings.get(audit)) is None:
            lists = (self._one(each) for each in audit[2:])
            known = Audit(audit.enabled, audit.age_limit, *lists)
            self._settings[known] = known
        return known

    def _one(self, words: Texts) -> Texts:
        return None if words is None else self._lists.setdefault(words, words)

    def _of(self, audit: dict[str, Any]) -> Audit:
        key = (
            *(audit["enabled"], audit["age_limit"]),
            *(tuple(audit["default_set"]), tuple(audit["admin"]), tuple(audit["delegate"]), tuple(audit["owner"])),
        )
        if (settings := self._settings.get(key)) is None:
            settings = self.settings(_checked(key, audit))
        return settings

    def _mailbox(self, row: dict[str, Any], settings: Audit) -> Mailbox:
        type_ = row["type"]
        "".join((row["upn"], row["address"], row["display_name"], type_))  # a TypeError, unless all are texts
        capabilities = tuple(row["capabilities"])
        if (license_ := self._licenses.get(capabilities)) is None:
            license_ = self._licenses[capabilities] = exchange_rules().license_of(capabilities)
        return Mailbox(
            _guid(row["object_id"]),
            _guid(row["exchange_guid"]),
            row["upn"],
            row["address"],
            row["display_name"],
            type_,
            row["created_at"],
            license_,
            settings,
            type_ in self._delegated,
        )


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the object of a line. Raises ValueError."""
    text = line.decode()
    row, end = _PARSE(text)  # loads() takes half as long again
    if text[end:].strip():
        msg = f"something follows the object, at character {end}"
        raise ValueError(msg)
    return row  # type: ignore[no-any-return]


def _is_last(tail: bytes) -> bool:
    """Return True when the settings at the beginning of the rest of a line are its last property."""
    text = tail.decode()
    _, end = _PARSE(text)
    return text[end:].strip() == "}"


def _bypassed(row: dict[str, Any]) -> Bypassed:
    return Bypassed(_guid(row["object_id"]), _guid(row["exchange_guid"]), str(row["name"]))


def _guid(value: Any) -> str | None:  # noqa: ANN401 - a value of JSON
    if value is None or _GUID(value):
        return value  # type: ignore[no-any-return]
    if (guid := guid_or_none(value)) is None:
        msg = f"{value!r:.60} is no id"
        raise ValueError(msg)
    return guid


def _checked(key: tuple[Any, ...], audit: dict[str, Any]) -> Audit:
    """Return settings whose types are right. Raises TypeError."""
    lists = [audit[name] for name in ("default_set", "admin", "delegate", "owner")]
    if not (
        audit["enabled"] in (True, False, None)
        and isinstance(audit["age_limit"], str | None)
        and all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in lists)
    ):
        msg = "the audit settings have a value of another type"
        raise TypeError(msg)
    return Audit(*key)


def settings_of(audit: Audit) -> AuditSettings:
    """Return the settings as a change and an undo name them; what was not read is empty."""
    return AuditSettings(
        enabled=audit.enabled,
        age_limit=audit.age_limit,
        default_set=audit.default_set or (),
        admin=audit.admin or (),
        delegate=audit.delegate or (),
        owner=audit.owner or (),
    )

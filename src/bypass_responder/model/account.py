"""An account as Entra ID has it, and the allowlist entry that may exempt it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import unquote

from pydantic import Field

from bypass_responder.model.base import Stored, Utc, Value, guid_or_none


class Account(Stored):
    """One Entra account, read with User.Read.All. Times are UTC."""

    object_id: str
    user_principal_name: str
    display_name: str = ""
    account_enabled: bool
    on_premises_sync_enabled: bool = False
    """True: the next sync cycle (about 30 minutes) undoes a block that was set in the cloud."""
    guest: bool = False
    """True: Microsoft documents that revoking sessions does nothing for external users."""
    sessions_valid_from: Utc | None = None
    mail: str = Field(default="", exclude=True)
    """Like the next three: another name that a person may type. Read to compare, not stored."""
    mail_nickname: str = Field(default="", exclude=True)
    proxy_addresses: tuple[str, ...] = Field(default=(), exclude=True)
    """With a prefix, as ``SMTP:alex@contoso.com``."""
    other_mails: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of the account in the directory, in the form in which it is typed."""
        addresses = (address.partition(":")[2] or address for address in self.proxy_addresses)
        return (self.user_principal_name, self.mail, self.mail_nickname, *addresses, *self.other_mails)

    @property
    def mail_addresses(self) -> tuple[str, ...]:
        """The mail addresses, the primary one first. X500 and SIP addresses are none."""
        primary_first = sorted(address for address in self.proxy_addresses if address.casefold().startswith("smtp:"))
        found = [address.partition(":")[2] for address in primary_first]
        return tuple(dict.fromkeys([*found, self.mail] if self.mail else found))

    @property
    def home_domain(self) -> str:
        """Return the domain of a guest's home organization, as its name here has it; else empty."""
        name, marker, _ = self.user_principal_name.rpartition("#EXT#@")
        return name.rpartition("_")[2] if marker and self.guest else ""

    def __str__(self) -> str:
        """Name and object id, as a person needs both."""
        return f"{self.user_principal_name} ({self.object_id})"


REVIEW = frozenset({"reviewed_at", "reviewed_by"})
ADDED_LATER = REVIEW | {"documentation"}
"""Columns that are left out where they are empty, so that the digest of an approved row stays as it was."""
NO_COLUMNS = {"object_id", "edited_at", "etag", "valid_since", "earlier", "edit_id", "edited_by", "via"}


class AllowlistEntry(Value):
    """A service account that may be bypassed: why, who owns it, under which ticket, until when."""

    object_id: str
    display_name: str = ""
    reason_class: str
    justification: str
    owner: str
    ticket: str
    approved_by: str = ""
    documentation: str = ""
    """Link to the vendor's documentation that asks for the bypass."""
    expires_at: Utc
    reviewed_at: Utc | None = None
    reviewed_by: str = ""
    edit_id: str = ""
    """Stamped by the tool that wrote the row, as ``edited_by`` and ``via``: claims, which anybody can type."""
    edited_by: str = ""
    via: str = ""
    edited_at: Utc | None = None
    """The storage service's own Timestamp of the row, so that nobody can set it."""
    etag: str = ""
    valid_since: Utc | None = None
    """Since when the account has had a valid entry without interruption, as the responder knows; None: not known."""
    earlier: tuple[Utc, Utc] | None = None
    """From when to when an entry of the account was in force before this one."""

    @property
    def counts_since(self) -> Utc | None:
        """Since when it counts: an edit of a valid entry keeps the time."""
        return self.valid_since or self.edited_at

    def in_force_at(self, moment: datetime) -> bool:
        """True when the account had a valid entry at that time: this one, or an earlier one."""
        began = self.counts_since is not None and self.counts_since < moment
        return began or (self.earlier is not None and self.earlier[0] < moment < self.earlier[1])

    @property
    def row_id(self) -> str:
        """Identifies the row in the table."""
        return self.object_id

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the row, as text, without the stamps of the tools."""
        given = self.model_dump(mode="json", exclude=NO_COLUMNS)
        return {name: str(value) for name, value in given.items() if value or name not in ADDED_LATER}

    def digest(self) -> str:
        """SHA-256 of the account and the columns: what a person approves. A review does not change it."""
        approved = {name: value for name, value in self.columns.items() if name not in REVIEW}
        text = json.dumps(approved | {"object_id": self.object_id}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


MOST_MISSPELLED, MOST_READ = 100, 20_000
"""Rows with misspelled keys that are compared with an account, and rows of the table that are read for them."""


class MalformedEntry(Value):
    """An allowlist row that cannot be read. It neither exempts nor condemns: containment is held."""

    object_id: str
    """The account, or the row key where it is no object id."""
    problem: str
    edited_at: Utc | None = None
    etag: str = ""
    keys: tuple[str, str] | None = None
    """Partition and row key, where they are not as the responder reads them."""
    of_anyone: bool = False
    """True: it stands for rows that were not read, of which one may mean any account."""

    @property
    def row_id(self) -> str:
        """Identifies the row in the table."""
        return " / ".join(self.keys) if self.keys else self.object_id

    @property
    def columns(self) -> dict[str, str]:
        """The problem stands for the columns."""
        return {"problem": self.problem}

    def could_mean(self, account: Account) -> bool:
        """True when a key of the row may have been typed for this account."""
        return self.of_anyone or any(could_mean(key, account) for key in self.keys or (self.object_id,))


UNREAD = MalformedEntry(
    object_id="*",
    problem=(
        f"the table Allowlist has more than {MOST_READ:,} rows or {MOST_MISSPELLED} misspelled ones; "
        "one that was not read may mean the account"
    ),
    of_anyone=True,
)


def row_of(
    account: Account,
    exact: AllowlistEntry | MalformedEntry | None,
    misspelled: Iterable[MalformedEntry],
    *,
    now: datetime,
) -> AllowlistEntry | MalformedEntry | None:
    """Return the row that decides: ``exact``; without one, or with an expired one, a misspelled row before it."""
    if isinstance(exact, MalformedEntry) or (exact is not None and exact.expires_at > now):
        return exact
    return next((row for row in misspelled if row.could_mean(account)), exact)


def could_mean(text: str, account: Account) -> bool:
    """Return True when a text contains the object id or is a name or an address of the account, in any spelling.

    Letter case, white space, invisible characters, quotes, braces and percent encoding make no difference.
    """
    digits, name = _bare(text, ""), _bare(text, NAME_SIGNS)
    known = {_bare(each, NAME_SIGNS) for each in account.names} - {""}
    return account.object_id.replace("-", "") in digits or any(
        name.removeprefix(prefix) in known for prefix in ("", "smtp", "mailto")
    )


NAME_SIGNS = "@._-+!#^~"
"""What a user principal name may hold besides letters, digits and an apostrophe."""


def _bare(text: str, signs: str) -> str:
    typed = unicodedata.normalize("NFKC", unquote(text)).casefold()
    return "".join(character for character in typed if character.isalnum() or character in signs)


def account_of(row_id: str) -> str | None:
    """Return the GUID that an allowlist row key, or the last of two, stands for; None without one."""
    digits = _bare(row_id.rpartition(" / ")[2], "")
    return guid_or_none("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))

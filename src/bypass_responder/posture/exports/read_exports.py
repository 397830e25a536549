"""Files that somebody exported → what was read of the tenant.

What cannot be read is named, and makes the read partial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from bypass_responder.errors import InputError
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.organization_read import AdminAuditLog
from bypass_responder.posture.baseline import exchange_rules
from bypass_responder.posture.exports.cells import (
    CellError,
    as_actions,
    as_capabilities,
    as_flag,
    as_list,
    as_span,
    as_text,
    as_time,
)
from bypass_responder.posture.exports.columns import columns_of
from bypass_responder.posture.exports.tables import WITHOUT_ROWS, Table, read_table
from bypass_responder.posture.mailbox import Audit, Bypassed, Mailbox, MailboxReader
from bypass_responder.posture.read import TenantRead

LISTS = ("DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner")
WANTED = (*LISTS, "AuditEnabled", "AuditLogAgeLimit", "RecipientTypeDetails")
SWITCHES = {"AuditDisabled": "audit_disabled", "UnifiedAuditLogIngestionEnabled": "ingestion_enabled"}
OFF = {"AuditDisabled": True, "UnifiedAuditLogIngestionEnabled": False}
"""The value of a switch with which the organization does not audit."""
OURS = "bypass-responder/"
"""How the format of a file that bypassctl writes begins."""
DEFAULT_LIMIT = 1000
"""Rows that the cmdlets return unless -ResultSize says otherwise."""
T = TypeVar("T")


def read_exports(files: Iterable[tuple[str, bytes]], given: Mapping[str, str] | None = None) -> TenantRead:
    """Return what the files have.

    ``given`` is from ``renamed``. Raises InputError for a file without known columns.
    """
    read = TenantRead("files")
    reader = MailboxReader()
    for name, data in files:
        try:
            table = read_table(data)
            _File(name, table, given or {}, read, reader).read()
            if table.is_page:
                read.problem(f"{name} is a page of several (@odata.nextLink). Put them together into one JSON array")
        except InputError as error:
            raise InputError(error.reason, f"{name}: {error.detail}") from None
    return read


def _either(value: Any) -> bool:  # noqa: ANN401 - any cell
    """Return a flag that has to be there. Raises CellError."""
    if (flag := as_flag(value)) is None:
        raise CellError("it is empty")
    return flag


class _File:
    """One file: its rows and its columns by property."""

    def __init__(
        self, name: str, table: Table, given: Mapping[str, str], into: TenantRead, reader: MailboxReader
    ) -> None:
        self._name = name
        self._rows, self._is_page = table
        self._into = into
        self._reader = reader
        self._headers = list(dict.fromkeys(header for row in self._rows for header in row))
        self._columns = columns_of(self._headers, given)
        self._where = ""

    def read(self) -> None:
        """Add its rows to what was read."""
        there = self._columns.keys()
        if {"audit"} & {*self._headers} or {*self._headers} == {*Bypassed._fields}:
            self._lines()
            return
        self._refuse_others()
        is_mailboxes = bool(there & {*LISTS, "AuditEnabled"})
        is_bypasses = "AuditBypassEnabled" in there
        is_organization = bool(there & {*SWITCHES, "AdminAuditLogEnabled", "AdminAuditLogCmdlets"})
        if not is_mailboxes | is_bypasses | is_organization:
            shown = ", ".join(f"{header!r:.40}" for header in self._headers[:8]) or "none"
            raise InputError(
                "no_known_column",
                f"no column is known (it has {shown}). Name them: --column HEADER=AuditOwner, and so on",
            )
        if is_mailboxes:
            self._check_columns()
        for number, row in enumerate(self._rows, start=1):
            self._where = f"{self._name}, row {number}"
            if is_mailboxes:
                self._into.mailboxes.append(self._mailbox(row))
            if is_bypasses:
                self._bypass(row)
            if is_organization:
                self._organization(row)
        is_cut = len(self._rows) == DEFAULT_LIMIT and (is_mailboxes or is_bypasses)
        if is_cut:
            self._problem(f"{self._name} has exactly 1,000 rows, the default limit: export with -ResultSize Unlimited")
        if is_bypasses:
            self._bypassed()
            self._into.others.unlisted_are_off &= not (is_cut or self._is_page)

    def _bypassed(self) -> list[Bypassed]:
        if self._into.bypassed is None:
            self._into.bypassed = []
        return self._into.bypassed

    def _refuse_others(self) -> None:
        """Raise InputError for a file without rows, and for one that bypassctl wrote."""
        if not any(self._rows):
            raise InputError("no_rows", f"it has no rows. {WITHOUT_ROWS}")
        if ours := next((row["format"] for row in self._rows if str(row.get("format")).startswith(OURS)), None):
            raise InputError(
                "not_an_export", f"it is not an Exchange export but a file of bypassctl ({ours}). Leave it out"
            )

    def _lines(self) -> None:
        """Read rows as the worker writes them."""
        for number, row in enumerate(self._rows, start=1):
            try:
                found = self._reader.row(row)
            except (ValueError, KeyError, TypeError, AttributeError) as problem:
                self._problem(f"{self._name}, row {number}: {type(problem).__name__}: {problem}"[:300])
                self._into.others.unlisted_are_off &= "audit" in row
                continue
            if isinstance(found, Mailbox):
                self._into.mailboxes.append(found)
            else:
                self._bypassed().append(found)

    def _check_columns(self) -> None:
        missing = [name for name in WANTED if name not in self._columns]
        if not self._columns.keys() & {"ExternalDirectoryObjectId", "Guid"}:
            missing.append("ExternalDirectoryObjectId")
        if missing:
            unknown = [header for header in self._headers if header not in self._columns.values()]
            hint = "export with Get-EXOMailbox -PropertySets Minimum,Audit -ResultSize Unlimited"
            if unknown:
                hint += f", or name them with --column, such as {unknown[0]!r:.40}={missing[0]}"
            self._problem(f"{self._name} has no column {', '.join(missing)}: {hint}")

    def _mailbox(self, row: Mapping[str, Any]) -> Mailbox:
        type_ = self._text(row, "RecipientTypeDetails")
        capabilities = self._cell(row, "PersistedCapabilities", as_capabilities) or ()
        rules = exchange_rules()
        audit = Audit(
            self._cell(row, "AuditEnabled", as_flag),
            self._cell(row, "AuditLogAgeLimit", as_span),
            *(self._cell(row, name, as_actions) for name in LISTS),
        )
        return Mailbox(
            guid_or_none(self._text(row, "ExternalDirectoryObjectId")),
            guid_or_none(self._text(row, "Guid")),
            self._text(row, "UserPrincipalName"),
            self._text(row, "PrimarySmtpAddress"),
            self._text(row, "DisplayName"),
            type_,
            self._cell(row, "WhenCreatedUTC", as_time),
            rules.license_of(capabilities),
            self._reader.settings(audit),
            type_ in rules.delegated or bool(self._cell(row, "GrantSendOnBehalfTo", as_list)),
        )

    def _bypass(self, row: Mapping[str, Any]) -> None:
        is_on = self._cell(row, "AuditBypassEnabled", _either)
        object_id = guid_or_none(self._text(row, "ExternalDirectoryObjectId"))  # never Name: anybody can choose one
        guid = guid_or_none(self._text(row, "Guid"))
        if is_on:
            name = self._text(row, "Name") or self._text(row, "DisplayName")
            self._bypassed().append(Bypassed(object_id, guid, name))
            return
        others = self._into.others
        others.unlisted_are_off = False  # it lists all accounts, as far as it goes
        (others.unclear if is_on is None else others.off).update(filter(None, (object_id, guid)))

    def _organization(self, row: Mapping[str, Any]) -> None:
        organization = self._into.organization
        for name, field in SWITCHES.items():
            switch = self._switch(row, name, getattr(organization, field))
            organization = organization.model_copy(update={field: switch})
        if "AdminAuditLogEnabled" in self._columns:
            lists = {
                field: self._cell(row, f"AdminAuditLog{name}", as_list) or ()
                for field, name in (
                    ("cmdlets", "Cmdlets"),
                    ("parameters", "Parameters"),
                    ("excluded_cmdlets", "ExcludedCmdlets"),
                )
            }
            admin = AdminAuditLog(
                enabled=self._cell(row, "AdminAuditLogEnabled", as_flag),
                age_limit=self._cell(row, "AdminAuditLogAgeLimit", as_span),
                **lists,
            )
            organization = organization.model_copy(update={"admin_audit": admin})
        self._into.organization = organization

    def _switch(self, row: Mapping[str, Any], name: str, known: bool | None) -> bool | None:  # noqa: FBT001 - None: not read
        """Return a switch of the organization.

        Of two values the one that audits less counts, and both are named.
        """
        found = self._cell(row, name, as_flag)
        if None not in (found, known) and found != known:
            self._problem(f"{self._where}: {name} is {found}, and {known} before: the worse counts. Export both again")
            return OFF[name]
        return known if found is None else found

    def _text(self, row: Mapping[str, Any], name: str) -> str:
        header = self._columns.get(name)
        return as_text(row.get(header)) if header else ""

    def _cell(self, row: Mapping[str, Any], name: str, read: Callable[[Any], T | None]) -> T | None:
        """Return a value; None for one that cannot be read, which is a problem of the read."""
        header = self._columns.get(name)
        if header is None:
            return None
        try:
            return read(row.get(header))
        except CellError as problem:
            self._problem(f"{self._where}: {name}: {problem}")
            return None

    def _problem(self, text: str) -> None:
        self._into.problem(text)

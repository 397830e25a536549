"""Sixty mailboxes of one tenant, with the truth about each written by a person, not by the code."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.baseline import License
from bypass_responder.posture.mailbox import Audit, Bypassed, Mailbox
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import TenantRead

ON = Organization(audit_disabled=False, ingestion_enabled=True)
ALL = ("Admin", "Delegate", "Owner")
ADMIN = (
    "ApplyRecord",
    "Create",
    "HardDelete",
    "MailItemsAccessed",
    "MoveToDeletedItems",
    "Send",
    "SendAs",
    "SendOnBehalf",
    "SoftDelete",
    "Update",
    "UpdateCalendarDelegation",
    "UpdateFolderPermissions",
    "UpdateInboxRules",
)
DELEGATE = (
    "ApplyRecord",
    "Create",
    "HardDelete",
    "MailItemsAccessed",
    "MoveToDeletedItems",
    "SendAs",
    "SendOnBehalf",
    "SoftDelete",
    "Update",
    "UpdateFolderPermissions",
    "UpdateInboxRules",
)
OWNER = (
    "ApplyRecord",
    "HardDelete",
    "MailItemsAccessed",
    "MoveToDeletedItems",
    "Send",
    "SoftDelete",
    "Update",
    "UpdateCalendarDelegation",
    "UpdateFolderPermissions",
    "UpdateInboxRules",
)
NONE = "-"
OF_CIS = "Admin: Copy,FolderBind,Move; Delegate: FolderBind,Move; Owner: Create,MailboxLogin,Move"
"""What CIS wants besides Microsoft's default set."""
CIS_ADMIN, CIS_DELEGATE = (*ADMIN, "Copy", "FolderBind", "Move"), (*DELEGATE, "FolderBind", "Move")
CIS_OWNER = (*OWNER, "Create", "MailboxLogin", "Move")
RECORD = ("RecordDelete", "UpdateComplianceTag")
NO_OWNER = (
    "Owner: ApplyRecord,HardDelete,MailItemsAccessed,MoveToDeletedItems,Send,SoftDelete,Update,"
    "UpdateCalendarDelegation,UpdateFolderPermissions,UpdateInboxRules"
)
NOTHING = (
    "Admin: ApplyRecord,Create,HardDelete,MailItemsAccessed,MoveToDeletedItems,Send,SendAs,SendOnBehalf,SoftDelete,"
    "Update,UpdateCalendarDelegation,UpdateFolderPermissions,UpdateInboxRules; "
    "Delegate: ApplyRecord,Create,HardDelete,MailItemsAccessed,MoveToDeletedItems,SendAs,SendOnBehalf,SoftDelete,"
    f"Update,UpdateFolderPermissions,UpdateInboxRules; {NO_OWNER}"
)
READS_OF_ALL = "Admin: MailItemsAccessed; Delegate: MailItemsAccessed; Owner: MailItemsAccessed"
USER, SHARED, GROUP, ROOM = "UserMailbox", "SharedMailbox", "GroupMailbox", "RoomMailbox"


def without(actions: tuple[str, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(action for action in actions if action not in left_out)


class Case(NamedTuple):
    """A mailbox; then what is expected of it."""

    what: str
    audited: str
    issues: str
    """The worst first, separated by semicolons."""
    pinned: str
    missing: str
    """Of Microsoft's default set."""
    type: str = USER
    enabled: bool | None = True
    age_limit: str | None = "90.00:00:00"
    default_set: tuple[str, ...] | None = ALL
    admin: tuple[str, ...] | None = ADMIN
    delegate: tuple[str, ...] | None = DELEGATE
    owner: tuple[str, ...] | None = OWNER
    license: License = License.STANDARD
    bypassed: str = ""
    """The id by which the list of bypasses has it: object or exchange."""
    ids: str = "both"
    missing_cis: str | None = None
    """None: what CIS wants besides the default set, or the same as ``missing`` where that is not the default set."""


CASES = (
    Case("a user with the default set", "yes", "", "", NONE, missing_cis=OF_CIS),
    Case("a shared mailbox with the default set", "yes", "", "", NONE, type=SHARED, missing_cis=OF_CIS),
    Case("all lists pinned, equal to the default set", "yes", "pinned", "Admin Delegate Owner", NONE, default_set=()),
    Case("the owner's list pinned, equal to the default", "yes", "pinned", "Owner", NONE, default_set=ALL[:2]),
    Case("the admin's list pinned", "yes", "pinned", "Admin", NONE, default_set=ALL[1:]),
    Case("the delegate's list pinned", "yes", "pinned", "Delegate", NONE, default_set=("Admin", "Owner")),
    Case(
        "the owner does not record reads",
        "yes",
        "no MailItemsAccessed; actions missing; pinned",
        "Owner",
        "Owner: MailItemsAccessed",
        default_set=ALL[:2],
        owner=without(OWNER, "MailItemsAccessed"),
        missing_cis="Admin: Copy,FolderBind,Move; Delegate: FolderBind,Move; "
        "Owner: Create,MailboxLogin,MailItemsAccessed,Move",
    ),
    Case(
        "lists from before MailItemsAccessed came to Standard",
        "yes",
        "no MailItemsAccessed; actions missing; pinned",
        "Admin Delegate Owner",
        READS_OF_ALL,
        default_set=(),
        admin=without(ADMIN, "MailItemsAccessed"),
        delegate=without(DELEGATE, "MailItemsAccessed"),
        owner=without(OWNER, "MailItemsAccessed"),
    ),
    Case(
        "MessageBind beside the default set",
        "yes",
        "pinned; legacy MessageBind",
        "Admin",
        NONE,
        default_set=ALL[1:],
        admin=(*ADMIN, "MessageBind"),
    ),
    Case(
        "MessageBind in the place of MailItemsAccessed",
        "yes",
        "no MailItemsAccessed; actions missing; pinned; legacy MessageBind",
        "Admin",
        "Admin: MailItemsAccessed",
        default_set=ALL[1:],
        admin=(*without(ADMIN, "MailItemsAccessed"), "MessageBind"),
    ),
    Case(
        "an empty list of the owner",
        "no",
        "records nothing; no MailItemsAccessed; actions missing; pinned",
        "Owner",
        NO_OWNER,
        default_set=ALL[:2],
        owner=(),
    ),
    Case(
        "three empty lists",
        "no",
        "records nothing; no MailItemsAccessed; actions missing; pinned",
        "Admin Delegate Owner",
        NOTHING,
        default_set=(),
        admin=(),
        delegate=(),
        owner=(),
    ),
    Case("AuditEnabled off for a user", "yes", "AuditEnabled ignored", "", NONE, enabled=False),
    Case("AuditEnabled off for a shared mailbox", "yes", "AuditEnabled ignored", "", NONE, type=SHARED, enabled=False),
    Case("AuditEnabled off for a room", "no", "AuditEnabled off", "", NONE, type=ROOM, enabled=False),
    Case("AuditEnabled on for a room", "yes", "", "", NONE, type=ROOM),
    Case("AuditEnabled off for equipment", "no", "AuditEnabled off", "", NONE, type="EquipmentMailbox", enabled=False),
    Case("AuditEnabled on for equipment", "yes", "", "", NONE, type="EquipmentMailbox"),
    Case(
        "AuditEnabled off for public folders",
        "no",
        "AuditEnabled off",
        "",
        NONE,
        type="PublicFolderMailbox",
        enabled=False,
    ),
    Case("AuditEnabled on for public folders", "yes", "", "", NONE, type="PublicFolderMailbox"),
    Case("AuditEnabled off for discovery", "no", "AuditEnabled off", "", NONE, type="DiscoveryMailbox", enabled=False),
    Case("AuditEnabled on for discovery", "yes", "", "", NONE, type="DiscoveryMailbox"),
    Case("AuditEnabled off, linked room", "no", "AuditEnabled off", "", NONE, type="LinkedRoomMailbox", enabled=False),
    Case("AuditEnabled not read for a room", "unknown", "not read", "", NONE, type=ROOM, enabled=None),
    Case(
        "a group with empty lists: the values are not true",
        "yes",
        "fixed set",
        "",
        NONE,
        type=GROUP,
        default_set=(),
        admin=(),
        delegate=(),
        owner=(),
        missing_cis=NONE,
    ),
    Case("a group with AuditEnabled off", "yes", "fixed set", "", NONE, type=GROUP, enabled=False, missing_cis=NONE),
    Case("a bypassed group", "no", "bypassed; fixed set", "", NONE, type=GROUP, bypassed="object", missing_cis=NONE),
    Case("a bypassed user", "no", "bypassed", "", NONE, bypassed="object"),
    Case("a user bypassed by Exchange guid", "no", "bypassed", "", NONE, bypassed="exchange"),
    Case(
        "bypassed, and reads not recorded",
        "no",
        "bypassed; no MailItemsAccessed; actions missing; pinned",
        "Owner",
        "Owner: MailItemsAccessed",
        default_set=ALL[:2],
        owner=without(OWNER, "MailItemsAccessed"),
        bypassed="object",
    ),
    Case(
        "bypassed, AuditEnabled off", "no", "bypassed; AuditEnabled ignored", "", NONE, enabled=False, bypassed="object"
    ),
    Case("entries kept for 180 days", "yes", "", "", NONE, age_limit="180.00:00:00"),
    Case("entries kept for no time", "yes", "short age limit", "", NONE, age_limit="00:00:00"),
    Case("entries kept for a day", "yes", "short age limit", "", NONE, age_limit="1.00:00:00"),
    Case("age limit not read", "yes", "not read", "", NONE, age_limit=None),
    Case("a second less than 90 days", "yes", "short age limit", "", NONE, age_limit="89.23:59:59"),
    Case("entries kept for a year", "yes", "", "", NONE, age_limit="365.00:00:00"),
    Case(
        "all that CIS wants",
        "yes",
        "pinned",
        "Admin Delegate Owner",
        NONE,
        default_set=(),
        admin=CIS_ADMIN,
        delegate=CIS_DELEGATE,
        owner=CIS_OWNER,
        missing_cis=NONE,
    ),
    Case(
        "what CIS wants of the owner",
        "yes",
        "pinned",
        "Owner",
        NONE,
        default_set=ALL[:2],
        owner=CIS_OWNER,
        missing_cis="Admin: Copy,FolderBind,Move; Delegate: FolderBind,Move",
    ),
    Case(
        "all that is possible",
        "yes",
        "pinned",
        "Admin Delegate Owner",
        NONE,
        default_set=(),
        admin=(*CIS_ADMIN, *RECORD),
        delegate=(*CIS_DELEGATE, *RECORD),
        owner=(*CIS_OWNER, *RECORD, "SearchQueryInitiated"),
        missing_cis=NONE,
    ),
    Case("an action that Microsoft has added", "yes", "unknown actions", "", NONE, owner=(*OWNER, "SummarizeItem")),
    Case(
        "an unknown action in a pinned list",
        "yes",
        "pinned; unknown actions",
        "Owner",
        NONE,
        default_set=ALL[:2],
        owner=(*OWNER, "SummarizeItem"),
    ),
    Case("actions in lower case", "yes", "", "", NONE, owner=tuple(map(str.lower, OWNER))),
    Case(
        "the default set in lower case",
        "yes",
        "",
        "",
        NONE,
        default_set=("owner", "delegate", "admin"),
    ),
    Case("a type that nobody documents", "unknown", "unknown type", "", NONE, type="SchedulingMailbox", enabled=False),
    Case("a type that nobody documents, on", "yes", "", "", NONE, type="SchedulingMailbox"),
    Case("neither type nor AuditEnabled", "unknown", "unknown type", "", NONE, type="", enabled=None),
    Case("without an object id", "yes", "", "", NONE, ids="exchange"),
    Case("without any id", "unknown", "not read", "", NONE, ids="none"),
    Case("a list that Microsoft maintains, not returned", "yes", "", "", NONE, owner=()),
    Case("Audit (Premium)", "yes", "", "", NONE, license=License.PREMIUM),
    Case("an unknown license", "yes", "", "", NONE, license=License.UNKNOWN),
    Case(
        "searches recorded", "yes", "pinned", "Owner", NONE, default_set=ALL[:2], owner=(*OWNER, "SearchQueryInitiated")
    ),
    Case("an action twice", "yes", "", "", NONE, owner=(*OWNER, "Update")),
    Case("a team mailbox", "yes", "", "", NONE, type="TeamMailbox"),
    Case("a linked mailbox", "yes", "", "", NONE, type="LinkedMailbox"),
    Case("legacy, not enabled", "yes", "AuditEnabled ignored", "", NONE, type="LegacyMailbox", enabled=False),
    Case(
        "folder permissions under their old name",
        "yes",
        "actions missing; pinned",
        "Delegate",
        "Delegate: UpdateFolderPermissions",
        default_set=("Admin", "Owner"),
        delegate=(*without(DELEGATE, "UpdateFolderPermissions"), "AddFolderPermissions"),
    ),
    Case(
        "nothing of the settings read",
        "unknown",
        "not read",
        "",
        NONE,
        default_set=None,
        admin=None,
        delegate=None,
        owner=None,
        missing_cis=NONE,
    ),
    Case(
        "only the admin's list maintained",
        "yes",
        "actions missing; pinned",
        "Delegate Owner",
        "Delegate: Create; Owner: HardDelete,SoftDelete",
        default_set=("Admin",),
        delegate=without(DELEGATE, "Create"),
        owner=without(OWNER, "HardDelete", "SoftDelete"),
    ),
)


def object_id(number: int) -> str:
    return f"0a0a0a0a-0000-4000-8000-{number:012x}"


def exchange_guid(number: int) -> str:
    return f"0e0e0e0e-0000-4000-8000-{number:012x}"


@cache
def audit_of(case: Case) -> Audit:
    return Audit(case.enabled, case.age_limit, case.default_set, case.admin, case.delegate, case.owner)


def mailbox(case: Case, number: int, *, name: str = "") -> Mailbox:
    """The mailbox of a case. The names of several are equal: they identify nobody."""
    return Mailbox(
        object_id(number) if case.ids == "both" else None,
        exchange_guid(number) if case.ids in {"both", "exchange"} else None,
        f"user{number}@contoso.com",
        f"user{number}@contoso.com",
        name or f"Alex Example {number % 7}",
        case.type,
        "2026-01-01T00:00:00Z",
        case.license,
        audit_of(case),
        case.type in {SHARED, "TeamMailbox"},
    )


def bypass_of(case: Case, number: int) -> Bypassed:
    """How the list of bypasses has the account of a case."""
    if case.bypassed == "object":
        return Bypassed(object_id(number), exchange_guid(number), "Alex Example")
    return Bypassed(None, exchange_guid(number), "Alex Example")


def a_read(cases: tuple[Case, ...] = CASES, *, organization: Organization = ON) -> TenantRead:
    """A complete read of a tenant with these mailboxes."""
    numbered = list(enumerate(cases))
    return TenantRead(
        "the worker",
        mailboxes=[mailbox(case, number) for number, case in numbered],
        bypassed=[bypass_of(case, number) for number, case in numbered if case.bypassed],
        organization=organization,
    )


def listed(read: TenantRead) -> list[Mailbox]:
    """Its mailboxes, to change some of them."""
    assert isinstance(read.mailboxes, list)
    return read.mailboxes


def pinned_of(case: Case) -> tuple[LogonType, ...]:
    return tuple(map(LogonType, case.pinned.split()))

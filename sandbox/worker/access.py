"""``read_account`` and ``read_organization``: sections that are read, or say why they could not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.model.account_read import AccountSection
from sandbox.tenant.exchange_roles import BYPASS, GROUP
from sandbox.worker.exchange import CmdletError
from sandbox.worker.mailbox_change import settings_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bypass_responder.model.exchange_read import ReadAccount, ReadOrganization
    from sandbox.worker.exchange import ExchangeCalls, Rows

    Missing = list[str]
    Reading = Callable[[Missing], Awaitable[Rows]]

CONDITIONS = ("SubjectContainsWords", "BodyContainsWords", "SubjectOrBodyContainsWords", "From",
              "FromAddressContainsWords", "SentTo", "HasAttachment")  # fmt: skip
FOLDERS = {"Inbox": "\\Inbox", "SentItems": "\\Sent Items", "Calendar": "\\Calendar"}
HARMLESS = {"None", "AvailabilityOnly", "LimitedDetails"}


async def _section(reading: Reading, most: int) -> dict[str, Any]:
    missing: list[str] = []
    items: Rows = []
    error = error_class = None
    try:
        items = await reading(missing)
    except CmdletError as failure:
        if failure.error_class == "not_found":
            missing.append("Exchange finds no mailbox of this account")
        else:
            error, error_class = str(failure), failure.error_class
    found = {"items": items[:most], "total": len(items), "not_enumerated": missing}
    return found | {"error": error, "error_class": error_class}


async def account_access(wanted: ReadAccount, exchange: ExchangeCalls) -> dict[str, Any]:
    """The line of an account. Raises CmdletError when Exchange does not know it."""
    asked = f"ExternalDirectoryObjectId -eq '{wanted.object_id}'"
    users = await exchange.run("Get-User", Filter=asked, ResultSize=10)
    if len(users) != 1:
        raise CmdletError(f"No Exchange object with an Entra object id matches '{wanted.object_id}'.", "not_found")
    access = _Access(exchange, users[0], wanted.most_checks)
    line: dict[str, Any] = {"object_id": wanted.object_id, "exchange_guid": access.guid}
    for name in AccountSection:
        if name in wanted.sections:
            line[name.value] = await _section(getattr(access, name.value), wanted.most_items)
    return line


class _Access:
    """One method for each section of an account."""

    def __init__(self, exchange: ExchangeCalls, user: dict[str, Any], most_checks: int) -> None:
        self._exchange = exchange
        self._user = user
        self._most = most_checks
        self.guid = str(user["Guid"])

    async def mailbox(self, _missing: Missing) -> Rows:
        [row] = await self._exchange.run("Get-Mailbox", Identity=self.guid, ResultSize=2)
        return [
            {
                "type": row["RecipientTypeDetails"],
                "forwarding_address": row["ForwardingAddress"] or "",
                "forwarding_smtp_address": row["ForwardingSmtpAddress"] or "",
                "deliver_and_forward": row["DeliverToMailboxAndForward"],
                "send_on_behalf": row["GrantSendOnBehalfTo"],
                "audit": settings_of(row).model_dump(mode="json"),
            }
        ]

    async def inbox_rules(self, _missing: Missing) -> Rows:
        asked = {"Mailbox": self.guid, "ResultSize": "Unlimited"}
        shown = {row["RuleIdentity"] for row in await self._exchange.run("Get-InboxRule", **asked)}
        rows = await self._exchange.run("Get-InboxRule", **asked, IncludeHidden=True)
        return [
            {
                "id": row["RuleIdentity"],
                "name": row["Name"],
                "enabled": row["Enabled"],
                "hidden": row["RuleIdentity"] not in shown,
                "forward_to": row.get("ForwardTo") or [],
                "redirect_to": row.get("RedirectTo") or [],
                "forward_as_attachment_to": row.get("ForwardAsAttachmentTo") or [],
                "delete": bool(row.get("DeleteMessage") or row.get("SoftDeleteMessage")),
                "move_to": row.get("MoveToFolder") or "",
                "mark_as_read": bool(row.get("MarkAsRead")),
                "stop_processing": bool(row.get("StopProcessingRules")),
                "conditions": [name for name in CONDITIONS if row.get(name)],
            }
            for row in rows
        ]

    async def opened_by(self, _missing: Missing) -> Rows:
        return await self._permissions("Get-MailboxPermission", Identity=self.guid)

    async def sent_as_by(self, _missing: Missing) -> Rows:
        return await self._permissions("Get-RecipientPermission", Identity=self.guid, ResultSize="Unlimited")

    async def folder_permissions(self, missing: Missing) -> Rows:
        rows = await self._permissions("Get-MailboxFolderPermission", Identity=f"{self.guid}:\\")
        found = [row | {"folder": "\\"} for row in rows]
        for kind, english in FOLDERS.items():
            folder, shown = await self._default_folder(kind, english, missing)
            try:
                rows = await self._permissions("Get-MailboxFolderPermission", Identity=f"{self.guid}:{folder}")
            except CmdletError as failure:
                if failure.error_class != "not_found":
                    raise
                missing.append(f"the folder {shown[1:]}, which has another name in this mailbox")
            else:
                found += [row | {"folder": shown} for row in rows]
        missing.append("other folders")
        return found

    async def _default_folder(self, kind: str, english: str, missing: Missing) -> tuple[str, str]:
        """Return a folder as it is asked for, and as it is shown."""
        try:
            rows = await self._exchange.run("Get-MailboxFolderStatistics", Identity=self.guid, FolderScope=kind)
        except CmdletError as failure:
            if failure.error_class == "transient":
                raise
            reason = "folders with names of another language: Get-MailboxFolderStatistics could not be run"
            missing += [reason] * (reason not in missing)
            return english, english
        [row] = [each for each in rows if each["FolderType"] == kind]
        path = str(row["FolderPath"]).replace("/", "\\").replace("\uf8ff", "/")
        return str(row["FolderId"]), path if path == english else f"{path} ({english[1:]})"

    async def can_send_as(self, _missing: Missing) -> Rows:
        return await self._permissions("Get-RecipientPermission", Trustee=self.guid, ResultSize="Unlimited")

    async def can_send_on_behalf(self, _missing: Missing) -> Rows:
        name = str(self._user["DistinguishedName"]).replace("'", "''")
        asked = {"Filter": f"GrantSendOnBehalfTo -eq '{name}'", "ResultSize": "Unlimited"}
        rows = await self._exchange.run("Get-Mailbox", **asked)
        return [
            {"mailbox": row["PrimarySmtpAddress"], "trustee": self.guid, "rights": ["SendOnBehalf"]} for row in rows
        ]

    async def can_open(self, missing: Missing) -> Rows:
        asked = {"RecipientTypeDetails": "SharedMailbox", "ResultSize": self._most + 1}
        shared = await self._exchange.run("Get-EXOMailbox", **asked)
        found: Rows = []
        for row in shared[: self._most]:
            own = await self._permissions("Get-MailboxPermission", Identity=row["Guid"], User=self.guid)
            found += [each | {"mailbox": row["PrimarySmtpAddress"]} for each in own]
        if len(shared) > self._most:
            missing.append(f"FullAccess to shared mailboxes after the first {self._most}")
        missing += ["FullAccess to mailboxes that are not shared", "access through a group"]
        return found

    async def _permissions(self, cmdlet: str, **asked: object) -> Rows:
        rows = await self._exchange.run(cmdlet, **asked)
        own = [row | {"who": row.get("Trustee") or row.get("User")} for row in rows]
        return [
            {"mailbox": row["Identity"], "folder": "", "trustee": row["who"], "rights": row["AccessRights"]}
            for row in own
            if row["who"] != "NT AUTHORITY\\SELF"
            and not (row["who"] in {"Default", "Anonymous"} and set(row["AccessRights"]) <= HARMLESS)
        ]


async def organization_rights(wanted: ReadOrganization, exchange: ExchangeCalls) -> dict[str, Any]:
    """The line of the organization."""

    async def switches(_missing: Missing) -> Rows:
        [organization] = await exchange.run("Get-OrganizationConfig")
        [log] = await exchange.run("Get-AdminAuditLogConfig")
        ingestion = {"unified_audit_log_ingestion_enabled": log["UnifiedAuditLogIngestionEnabled"]}
        return [{"audit_disabled": organization["AuditDisabled"]} | ingestion]

    async def log(_missing: Missing) -> Rows:
        [row] = await exchange.run("Get-AdminAuditLogConfig")
        lists = {"cmdlets": "Cmdlets", "parameters": "Parameters", "excluded_cmdlets": "ExcludedCmdlets"}
        named = {name: row[f"AdminAuditLog{property_}"] for name, property_ in lists.items()}
        return [{"enabled": row["AdminAuditLogEnabled"], "age_limit": row["AdminAuditLogAgeLimit"]} | named]

    async def assignments(_missing: Missing) -> Rows:
        able = {row["Name"] for row in await exchange.run("Get-ManagementRole", Cmdlet=BYPASS)}
        found = [
            {
                "name": row["Name"],
                "role": row["Role"],
                "assignee": row["RoleAssigneeName"],
                "assignee_type": row["RoleAssigneeType"],
                "delegating": row["RoleAssignmentDelegationType"].startswith("Delegating"),
                "enabled": row["Enabled"],
                "can_bypass": row["Role"] in able,
            }
            for row in await exchange.run("Get-ManagementRoleAssignment")
        ]
        return sorted(found, key=lambda each: not each["can_bypass"])

    async def members(_missing: Missing) -> Rows:
        given = await assignments([])
        groups = {
            each["assignee"]
            for each in given
            if each["can_bypass"] and not each["delegating"] and each["assignee_type"] == "RoleGroup"
        }
        return [
            {
                "group": group,
                "member": row["Name"],
                "object_id": row.get("ExternalDirectoryObjectId"),
                "type": row["RecipientType"],
            }
            for group in sorted(groups)
            for row in await exchange.run("Get-RoleGroupMember", Identity=group, ResultSize="Unlimited")
        ]

    async def own_entries(missing: Missing) -> Rows:
        own = sorted({each["role"] for each in await assignments([]) if each["assignee"].startswith(GROUP)})
        if not own:
            missing.append(f"the worker's rights: no role group has the name {GROUP}*")
        return [
            {"role": role, "cmdlet": row["Name"], "parameters": row["Parameters"]}
            for role in own
            for row in await exchange.run("Get-ManagementRoleEntry", Identity=f"{role}\\*")
        ]

    readings: dict[str, Reading] = {"switches": switches, "admin_audit_log": log, "assignments": assignments}
    readings |= {"members": members, "own_entries": own_entries}
    return {name: await _section(reading, wanted.most_items) for name, reading in readings.items()}

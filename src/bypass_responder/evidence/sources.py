"""Every source of evidence, as data.

Each states what it answers, what it needs, and how to answer it without the responder.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bypass_responder.model.base import Value
from bypass_responder.model.question import AskedAccount, Role

BOTH = (Role.TARGET, Role.ACTOR)
ACTOR_ONLY = (Role.ACTOR,)
CLOCKS = timedelta(minutes=10)
"""How far the clock of a service may be ahead of ours, and how long an ask may take."""


class Asked(StrEnum):
    """The kind of account that a source knows."""

    PERSON = "person"
    APPLICATION = "application"
    ANY = "any"


class Source(Value):
    """One source. ``name`` is the key of its adapter."""

    name: str
    title: str
    question: str
    """What it answers, as a sentence without the account."""
    by_hand: str
    """Where a person finds the same."""
    permission: str = ""
    """Any one of these is enough, separated by ``or``; empty: nothing that is optional."""
    roles: tuple[Role, ...] = BOTH
    asks_about: Asked = Asked.PERSON
    seconds: float = 30.0
    """For one ask: then it is canceled, and counts as failed."""
    keeps: timedelta | None = None
    """For how long the service has its records, at most. None: longer than a blind window is likely to be."""

    def kept_from(self, now: datetime) -> datetime | None:
        """Return from when on the service surely has its records; None: from longer ago than is asked about."""
        return now - self.keeps + CLOCKS if self.keeps else None

    def concerns(self, account: AskedAccount, roles: frozenset[Role]) -> Role | None:
        """Return in which of its roles the account is asked about; None: not at all."""
        fits = self.asks_about is Asked.ANY or account.application is (self.asks_about is Asked.APPLICATION)
        return next((role for role in self.roles if role in roles), None) if fits else None


AUDIT = "https://purview.microsoft.com/audit/auditsearch"
HUNTING = "https://security.microsoft.com/v2/advanced-hunting"
MONTH = timedelta(days=30)
SOURCES = (
    Source(
        name="sign_ins",
        title="Interactive sign-ins",
        question="Where did the account sign in from, and is a country, network or client new?",
        by_hand="Entra admin center, Users, the account, Sign-in logs: User sign-ins (interactive)",
        permission="AuditLog.Read.All",
        keeps=MONTH,
    ),
    Source(
        name="sign_ins_non_interactive",
        title="Non-interactive sign-ins",
        question="Which clients renewed a session of the account, and from where?",
        by_hand="Entra admin center, Users, the account, Sign-in logs: User sign-ins (non-interactive)",
        permission="AuditLog.Read.All",
        keeps=MONTH,
    ),
    Source(
        name="sign_ins_application",
        title="Sign-ins of the application",
        question="Where did the application sign in from, and with which credential?",
        by_hand="Entra admin center, Enterprise applications, the application, Sign-in logs: Service principals",
        permission="AuditLog.Read.All",
        keeps=MONTH,
        asks_about=Asked.APPLICATION,
    ),
    Source(
        name="graph_activity",
        title="Calls of Microsoft Graph",
        question="Was mail read or downloaded through Microsoft Graph, which the bypass does not silence?",
        by_hand=f"{HUNTING}: GraphApiAuditEvents where AccountObjectId is the account",
        permission="ThreatHunting.Read.All",
        keeps=MONTH,
        seconds=60.0,
        asks_about=Asked.ANY,
    ),
    Source(
        name="mail_items_accessed",
        title="Mail access outside of the blind window",
        question="What do MailItemsAccessed records from before and after the blind window show?",
        by_hand=f"{AUDIT}: activity MailItemsAccessed, the account as user",
        permission="AuditLogsQuery-Exchange.Read.All or AuditLogsQuery.Read.All",
    ),
    Source(
        name="directory_changes",
        title="Directory changes",
        question="Which roles, consents, credentials and sign-in methods were changed by the account, or on it?",
        by_hand="Entra admin center, Monitoring, Audit logs: initiated by the account, and target the account",
        permission="AuditLog.Read.All",
        keeps=MONTH,
        asks_about=Asked.ANY,
    ),
    Source(
        name="role_changes",
        title="Exchange role changes",
        question="Who gave the actor the role that can run the cmdlet?",
        by_hand=f"{AUDIT}: activities Add-RoleGroupMember, New-ManagementRoleAssignment and New-RoleGroup",
        permission="AuditLogsQuery-Exchange.Read.All or AuditLogsQuery.Read.All",
        roles=ACTOR_ONLY,
        asks_about=Asked.ANY,
    ),
    Source(
        name="exchange_changes",
        title="Exchange changes by and about the account",
        question="Which rules, forwarding and permissions of mailboxes were changed?",
        by_hand=f"{AUDIT}: activities New-InboxRule, Set-Mailbox, Add-MailboxPermission, by or about the account",
        permission="AuditLogsQuery-Exchange.Read.All or AuditLogsQuery.Read.All",
        asks_about=Asked.ANY,
    ),
    Source(
        name="files_and_teams",
        title="SharePoint, OneDrive and Teams",
        question="Which files and messages of other workloads did the account open, share or download?",
        by_hand=f"{AUDIT}: workloads SharePoint, OneDrive and Teams, the account as user",
        permission="AuditLogsQuery.Read.All",
    ),
    Source(
        name="ediscovery",
        title="eDiscovery and content search",
        question="Did the account search, export or download mail with eDiscovery or content search?",
        by_hand=f"{AUDIT}: activities SearchCreated, SearchExported and SearchExportDownloaded, the account as user",
        permission="AuditLogsQuery.Read.All",
    ),
    Source(
        name="exports_without_sign_in",
        title="Exports without a sign-in",
        question="Did the account export mail without a sign-in before it, as with a stolen session?",
        by_hand="Compare the exports (eDiscovery and content search) with the account's sign-in logs in Entra",
    ),
    Source(
        name="message_trace",
        title="Message trace",
        question="How many messages did the account send and receive, to and from outside?",
        by_hand="Exchange admin center, Mail flow, Message trace: the account as sender, then as recipient",
        permission="ExchangeMessageTrace.Read.All",
        keeps=timedelta(days=90),
        seconds=60.0,
    ),
    Source(
        name="email_events",
        title="Email events of Defender",
        question="How many messages went outside or were threats, by direction?",
        by_hand=f"{HUNTING}: EmailEvents where SenderObjectId or RecipientObjectId is the account",
        permission="ThreatHunting.Read.All",
        keeps=MONTH,
        seconds=60.0,
    ),
    Source(
        name="security_alerts",
        title="Alerts and incidents of Defender",
        question="Which alerts and incidents name the account?",
        by_hand="https://security.microsoft.com/alerts: filter by the account",
        permission="SecurityIncident.Read.All",
    ),
    Source(
        name="dlp_alerts",
        title="Alerts of data loss prevention",
        question="Did the account break a rule of data loss prevention?",
        by_hand="https://purview.microsoft.com/datalossprevention/alerts: filter by the account",
        permission="SecurityIncident.Read.All",
    ),
    Source(
        name="risk_detections",
        title="Risk detections",
        question="Did Entra ID Protection detect a risk of the account?",
        by_hand="Entra admin center, Protection, Risky activities, Risk detections",
        permission="IdentityRiskEvent.Read.All",
    ),
    Source(
        name="inbox_rules",
        title="Inbox rules, hidden ones too",
        question="Does a rule of the mailbox forward, redirect, move or delete mail?",
        by_hand="Get-InboxRule -Mailbox ACCOUNT -IncludeHidden",
        permission="the Exchange role group for evidence",
    ),
    Source(
        name="forwarding",
        title="Forwarding of the mailbox",
        question="Does the mailbox forward its mail?",
        by_hand="Get-Mailbox ACCOUNT | Format-List ForwardingAddress,ForwardingSmtpAddress,DeliverToMailboxAndForward",
        permission="the Exchange role group for evidence",
    ),
    Source(
        name="delegates",
        title="Delegates and folder permissions",
        question="Who can open the mailbox or its folders, or send as it?",
        by_hand="Get-MailboxPermission, Get-RecipientPermission and Get-MailboxFolderPermission of the account",
        permission="the Exchange role group for evidence",
    ),
    Source(
        name="opens_mailboxes",
        title="Mailboxes that the account can open",
        question="In which other mailboxes are the account's actions missing?",
        by_hand="Get-RecipientPermission -Trustee ACCOUNT; Get-Mailbox -Filter \"GrantSendOnBehalfTo -eq 'DN'\"",
        permission="the Exchange role group for evidence",
    ),
    Source(
        name="other_changes",
        title="Other bypasses and attempts of the actor",
        question="Which other accounts did the actor hide, or try to?",
        by_hand="bypassctl incidents list --all --actor ACCOUNT",
        roles=ACTOR_ONLY,
        asks_about=Asked.ANY,
    ),
    Source(
        name="authorization",
        title="Authorization of the actor",
        question="May the actor set a bypass, and is a change ticket named?",
        by_hand="Ask the owner of the change process; docs/settings.md: AUTHORIZED_ACTORS",
        roles=ACTOR_ONLY,
        asks_about=Asked.ANY,
    ),
)
"""In the order of the report."""
BY_NAME = {source.name: source for source in SOURCES}

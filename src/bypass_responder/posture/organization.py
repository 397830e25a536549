"""The switches that outrank every mailbox, and the configuration of the admin audit log."""

from __future__ import annotations

from bypass_responder.model.base import Value


class AdminAudit(Value):
    """Get-AdminAuditLogConfig. No alarm: in Exchange Online, all but the ingestion is on-premises only."""

    enabled: bool | None = None
    cmdlets: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    excluded_cmdlets: tuple[str, ...] = ()
    age_limit: str | None = None


class Organization(Value):
    """The switches of the organization. None: not read."""

    audit_disabled: bool | None = None
    """AuditDisabled: True turns mailbox auditing off for everybody."""
    ingestion_enabled: bool | None = None
    """UnifiedAuditLogIngestionEnabled: False means that the unified audit log takes no records."""
    admin_audit: AdminAudit | None = None

    @property
    def off(self) -> str:
        """Why no mailbox is audited; empty where that is not so, or not known."""
        if self.audit_disabled:
            return "auditing is off for the organization (AuditDisabled); settings and bypasses have no effect"
        if self.ingestion_enabled is False:
            return "the unified audit log takes no records (UnifiedAuditLogIngestionEnabled)"
        return ""

    @property
    def unread(self) -> str:
        """Which switch was not read; empty when both were."""
        missing = [
            name
            for name, value in (
                ("AuditDisabled", self.audit_disabled),
                ("UnifiedAuditLogIngestionEnabled", self.ingestion_enabled),
            )
            if value is None
        ]
        return " and ".join(missing)

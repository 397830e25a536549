"""The switches that outrank every mailbox, and the configuration of the admin audit log."""

from __future__ import annotations

from bypass_responder.model.base import Value
from bypass_responder.model.organization_read import AdminAuditLog


class Organization(Value):
    """The switches of the organization. None: not read."""

    audit_disabled: bool | None = None
    """AuditDisabled: True turns mailbox auditing off for everybody."""
    ingestion_enabled: bool | None = None
    """UnifiedAuditLogIngestionEnabled: False means that the unified audit log takes no records."""
    admin_audit: AdminAuditLog | None = None
    """Shown without an alarm: in Exchange Online, all but the ingestion is on-premises only."""

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

"""What each issue means, and what somebody does about it."""

from __future__ import annotations

from bypass_responder.posture.verdict import Issue

FIXES = {
    Issue.ORGANIZATION_OFF: (
        "No mailbox is audited",
        (
            "Set-OrganizationConfig -AuditDisabled $false; "
            "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true; bypassctl status names who switched it"
        ),
    ),
    Issue.BYPASSED: (
        "What the account does leaves no record, in its own and in every other mailbox",
        "bypassctl accounts bypassed; an account that is not on the allowlist is an incident",
    ),
    Issue.AUDIT_OFF: (
        "The type does not follow the organization's default, and its own switch is off",
        "bypassctl posture plan -o FILE, or Set-Mailbox -AuditEnabled $true",
    ),
    Issue.RECORDS_NOTHING: (
        "A logon type has an empty list",
        "bypassctl posture plan -o FILE, or Set-Mailbox -DefaultAuditSet with this logon type",
    ),
    Issue.NOT_READ: ("Something that decides was not read", "Read it again, with what is missing"),
    Issue.UNKNOWN_TYPE: (
        "Whether the organization's default covers the type is not known",
        "Set-Mailbox -AuditEnabled $true, which counts for every type",
    ),
    Issue.NO_MAIL_READS: (
        "Reading mail leaves no record for a logon type",
        "bypassctl posture plan -o FILE: returns the logon type to Microsoft's default set",
    ),
    Issue.MISSING: (
        "Actions of the baseline are not recorded",
        "bypassctl posture plan -o FILE: returns the logon type to Microsoft's default set, or adds the actions",
    ),
    Issue.PINNED: (
        "A logon type has a list of its own, and gets nothing that Microsoft adds",
        "bypassctl posture plan -o FILE, where the list has nothing that the default set lacks",
    ),
    Issue.LEGACY_MESSAGE_BIND: (
        "MessageBind is recorded no more and cannot be chosen; MailItemsAccessed replaced it",
        "None needed",
    ),
    Issue.SHORT_AGE_LIMIT: (
        "The mailbox keeps its entries for less time than the baseline says; the unified audit log is not concerned",
        "bypassctl posture plan -o FILE --age-limit DAYS",
    ),
    Issue.FLAG_IGNORED: ("AuditEnabled is off, without effect while the organization audits", "None needed"),
    Issue.UNKNOWN_ACTIONS: (
        "The list has actions that the baselines do not know: Microsoft may have added them",
        "None needed; a newer version knows them",
    ),
    Issue.FIXED_SET: ("Microsoft audits groups with a fixed set that nobody can change", "None needed"),
}
"""Issue to its meaning and the fix."""

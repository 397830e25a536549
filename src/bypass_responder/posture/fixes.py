"""What each issue means, and how it is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.posture.baseline import Kind
from bypass_responder.posture.verdict import Issue

if TYPE_CHECKING:
    from bypass_responder.posture.comparison import Comparison

_PLAN, _DAYS = "{plan}", "{days}"
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
        f"{_PLAN}, or Set-Mailbox -AuditEnabled $true",
    ),
    Issue.RECORDS_NOTHING: (
        "A logon type has an empty list",
        f"{_PLAN}, or Set-Mailbox -DefaultAuditSet with this logon type",
    ),
    Issue.NOT_READ: ("Something that decides was not read", "Read it again, with what is missing"),
    Issue.UNKNOWN_TYPE: (
        "Whether the organization's default covers the type is not known",
        "Set-Mailbox -AuditEnabled $true, which counts for every type",
    ),
    Issue.NO_MAIL_READS: (
        "Reading mail leaves no record for a logon type",
        f"{_PLAN}: returns the logon type to Microsoft's default set",
    ),
    Issue.MISSING: (
        "Actions of the baseline are not recorded",
        f"{_PLAN}: returns the logon type to Microsoft's default set, or adds the actions",
    ),
    Issue.PINNED: (
        "A logon type has a custom list, which does not get the actions that Microsoft adds",
        f"{_PLAN}, where the list has nothing that the default set lacks",
    ),
    Issue.LEGACY_MESSAGE_BIND: (
        "MessageBind is no longer recorded and cannot be chosen; MailItemsAccessed replaced it",
        "None needed. A plan leaves the logon type unchanged, because a change could not be undone",
    ),
    Issue.SHORT_AGE_LIMIT: (
        "The mailbox keeps its entries for less time than the baseline says; the unified audit log is not affected",
        f"{_PLAN} --age-limit {_DAYS}",
    ),
    Issue.FLAG_IGNORED: ("AuditEnabled is off, without effect while the organization audits", "None needed"),
    Issue.UNKNOWN_ACTIONS: (
        "The list has actions that the baselines do not know: Microsoft may have added them",
        "None needed; a newer version knows them",
    ),
    Issue.FIXED_SET: ("Microsoft audits groups with a fixed set that nobody can change", "None needed"),
}
"""Issue to its meaning and the fix, with ``{plan}`` and ``{days}`` in place of what depends on the report."""


def fix_of(issue: Issue, found: Comparison) -> str:
    """Return how an issue is fixed, with the command for the baseline and the source of a comparison."""
    baseline = found.measures.baseline
    exported = " FILE..." if found.source == "files" else ""
    option = "" if baseline.kind is Kind.MICROSOFT else f" --baseline {baseline.kind}"
    plan = f"bypassctl posture plan{exported}{option} -o plan.json"
    return FIXES[issue][1].replace(_PLAN, plan).replace(_DAYS, str(baseline.age_limit_days or "DAYS"))

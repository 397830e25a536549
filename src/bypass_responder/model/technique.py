"""The ways to weaken auditing besides a bypass: the tampering family."""

from __future__ import annotations

from enum import StrEnum


class Technique(StrEnum):
    """One way. ``bypass_responder.tampering`` has what each means, and its repair."""

    ORGANIZATION_OFF = "organization_off"
    UNIFIED_LOG_OFF = "unified_log_off"
    RESPONDER_REMOVED = "responder_removed"
    PRECURSOR = "precursor"
    """The right to set bypasses is given to somebody."""
    ACTION_LIST = "action_list"
    RETENTION = "retention"
    LICENSE = "license"
    DIAGNOSTIC_SETTINGS = "diagnostic_settings"
    GRANT_REMOVED = "grant_removed"
    """A permission is granted and removed within 7 days: two records show it together."""
    AGE_LIMIT = "age_limit"
    AUDIT_ENABLED = "audit_enabled"


SWITCHES = frozenset({Technique.ORGANIZATION_OFF, Technique.UNIFIED_LOG_OFF})
"""Those that each sweep reads back."""

"""The three cmdlets that detection reads, named once for sensing and for detection.

Names are compared folded: exporters and people add spaces, other dashes and characters of no width. The bytes prefilter
folds with the same tables, so that it and detection agree on what is the same name.
"""

from __future__ import annotations

from typing import NamedTuple

BYPASS_OPERATION = "Set-MailboxAuditBypassAssociation"
BYPASS_PARAMETER = "AuditBypassEnabled"
IDENTITY_PARAMETER = "Identity"

LOWERED = bytes(range(256)).lower()
DROPPED = bytes([*range(0x21), ord("-"), *range(0x7F, 0x100)])
"""Bytes that do not count in a name: white space, controls, the dash, and everything outside ASCII."""


def folded(name: str) -> str:
    """Return the name in lower case, without white space, dashes and characters outside ASCII."""
    return name.encode("ascii", "ignore").translate(LOWERED, DROPPED).decode()


class AuditSwitch(NamedTuple):
    """An organization-wide audit switch: cmdlet, parameter, and the value that weakens auditing."""

    operation: str
    parameter: str
    weakened_by: bool


AUDIT_SWITCHES = {
    folded(switch.operation): switch
    for switch in (
        AuditSwitch("Set-OrganizationConfig", "AuditDisabled", weakened_by=True),
        AuditSwitch("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", weakened_by=False),
    )
}
OPERATIONS = frozenset({folded(BYPASS_OPERATION), *AUDIT_SWITCHES})
"""The operations of interest, folded."""

READ_PARAMETERS = frozenset(
    map(folded, (BYPASS_PARAMETER, IDENTITY_PARAMETER, *(s.parameter for s in AUDIT_SWITCHES.values())))
)
"""The parameters whose value detection reads, folded."""

_TRUE = frozenset({"true", "$true", "1"})
_FALSE = frozenset({"false", "$false", "0"})


def truth(text: str) -> bool | None:
    """The value of a parameter's text: True, False, or None when it is neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None

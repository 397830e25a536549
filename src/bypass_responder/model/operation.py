"""The three cmdlets that detection reads, named once for sensing and for detection.

Names are compared with ``str.lower``: unlike ``casefold`` it maps no letter outside ASCII onto a letter of these names,
so that the bytes prefilter and detection agree on what is the same name.
"""

from __future__ import annotations

from typing import NamedTuple

BYPASS_OPERATION = "Set-MailboxAuditBypassAssociation"
BYPASS_PARAMETER = "AuditBypassEnabled"
IDENTITY_PARAMETER = "Identity"


class AuditSwitch(NamedTuple):
    """An organization-wide audit switch: the cmdlet, its parameter, and whether True or False weakens auditing."""

    operation: str
    parameter: str
    weakened_by: bool


AUDIT_SWITCHES = {
    switch.operation.lower(): switch
    for switch in (
        AuditSwitch("Set-OrganizationConfig", "AuditDisabled", weakened_by=True),
        AuditSwitch("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", weakened_by=False),
    )
}
OPERATIONS = frozenset({BYPASS_OPERATION.lower(), *AUDIT_SWITCHES})
"""The operations of interest, in lower case."""

READ_PARAMETERS = frozenset(
    {BYPASS_PARAMETER.lower(), IDENTITY_PARAMETER.lower(), *(s.parameter.lower() for s in AUDIT_SWITCHES.values())}
)
"""The parameters whose value detection reads, in lower case."""

_TRUE = frozenset({"true", "$true", "1"})
_FALSE = frozenset({"false", "$false", "0"})


def truth(text: str) -> bool | None:
    """The value of a parameter's text: True, False, or None when it is neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None

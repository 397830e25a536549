"""What is not set in Exchange: retention policies, licenses, diagnostic settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.operation import folded
from bypass_responder.tampering.match import Match, given, object_of

if TYPE_CHECKING:
    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Own

SHORTEST_MONTHS = 12
"""A policy of fewer months is shorter than the longest default, of Audit (Premium)."""
_MONTHS = {
    "sevendays": 0,
    "onemonth": 1,
    "threemonths": 3,
    "sixmonths": 6,
    "ninemonths": 9,
    "twelvemonths": 12,
    "threeyears": 36,
    "fiveyears": 60,
    "sevenyears": 84,
    "tenyears": 120,
}
ADVANCED_AUDITING = "M365_ADVANCED_AUDITING"
"""The service plan of Audit (Premium)."""
ASSIGNED_LICENSE = "AssignedLicense"
_LICENSES = re.compile(r'"AssignedLicense"(.*?)(?="Name"|\Z)', re.DOTALL)
_SIDES = {
    side: re.compile(rf'"{side}":(.*?)(?="(?:OldValue|NewValue)":|\Z)', re.DOTALL) for side in ("OldValue", "NewValue")
}
_LICENSE = re.compile(
    r"(?:SkuName=(?P<name>[^,\[\]]{1,100}),(?:(?!Sku(?:Name|Id)=)[^\[\]])*)?"
    r"SkuId=(?P<sku>[0-9a-f-]{36})(?:(?!SkuId=)[^\[\]])*DisabledPlans=\[(?P<plans>[^\[\]]*)\]",
    re.IGNORECASE,
)
_WITH_PLAN = re.compile(
    r"(?:SPE|M365|M365EDU|O365|MICROSOFT_365|OFFICE_365|DEVELOPERPACK)_(?:\w*_)?[AEG]5(?:_|\Z)"
    r"|ENTERPRISEPREMIUM(?:_|\Z)|INFORMATION_PROTECTION_COMPLIANCE\Z"
)
"""Names of licenses that have the plan: Microsoft 365 and Office 365 A5, E5 and G5, and the Purview suite.

Not so other products with E5 in their name, such as WIN10_VDA_E5.
"""
_BRACKET = re.compile(r"[\[\]]")
_ESCAPES = re.compile(r"\\++(?:r\\++n|n)?")
_GUID = re.compile(r'"ID":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"', re.IGNORECASE)
_LOGS = re.compile(r'"logs":\[((?:[^\[\]]|\[[^\[\]]*\])*)')
_LOG = re.compile(r"\{((?:[^{}]|\{[^{}]*\})*)\}")
_INNER = re.compile(r"\{[^{}]*\}")
_OF_CATEGORY = re.compile(r'"category(?:group)?":"')
_DISABLED = re.compile(r'"enabled":(?:false|"false")')
_NOT_YET = frozenset({"start", "started", "accept", "accepted"})


class _License(NamedTuple):
    """A license as a record has it. ``plans``: those that are disabled in it."""

    name: str
    plans: frozenset[str]

    @property
    def has_plan(self) -> bool:
        """True if Audit (Premium) is in it by its name, and not disabled: a record lists no plans that are enabled."""
        return ADVANCED_AUDITING not in self.plans and _WITH_PLAN.match(self.name) is not None


def retention(record: AuditRecord, _: Own) -> Match | None:
    """Match a policy that is removed, and one that is set to a short time.

    The record does not have the one before.
    """
    target = given(record, "Name") or object_of(record)
    if folded(record.operation).startswith("remove"):
        return Match(target=target, extent="removed")
    duration = given(record, "RetentionDuration")
    months = _MONTHS.get(folded(duration or ""))
    if not duration or (months is not None and months >= SHORTEST_MONTHS):
        return None
    return Match("RetentionDuration", duration, target, "for an unknown time" if months is None else "")


def license_reduced(record: AuditRecord, _: Own) -> Match | None:
    """Match the plan of Audit (Premium) disabled in a license, or a license with it removed from an account.

    The service cuts the JSON in ``additionalDetails`` off, so it is read as text.
    """
    text = _unescaped(record.raw)
    for change in _LICENSES.findall(text):
        before, after = (_licenses(change, side) for side in _SIDES)
        account = _guid_of_target(text) or record.object_id or ""
        kept = before.keys() & after.keys()
        if any(ADVANCED_AUDITING in after[sku].plans - before[sku].plans for sku in kept):
            return Match("DisabledPlans", ADVANCED_AUDITING, account)
        gone = [before[sku].name for sku in before.keys() - kept if before[sku].has_plan]
        if gone and _is_whole(change, "NewValue") and not any(license_.has_plan for license_ in after.values()):
            return Match(ASSIGNED_LICENSE, min(gone), account, extent=f"removed, and {ADVANCED_AUDITING} with it")
    return None


def _unescaped(text: str) -> str:
    """Return JSON without the escapes of the JSON texts inside of it, and without blanks beside colons."""
    return ":".join(part.strip() for part in _ESCAPES.sub("", text).split(":"))


def _licenses(change: str, side: str) -> dict[str, _License]:
    """Return the licenses of an account before or after a change, by the id of their product."""
    found = _SIDES[side].search(change)
    return {
        each["sku"].lower(): _License(
            (each["name"] or "").strip().upper(),
            frozenset(plan.strip().upper() for plan in each["plans"].split(",")),
        )
        for each in _LICENSE.finditer(found[1] if found else "")
    }


def _is_whole(change: str, side: str) -> bool:
    """Return True when the list of licenses ends in the record: one that was cut off may have had more."""
    found = _SIDES[side].search(change)
    depth = 0
    for bracket in _BRACKET.findall(found[1] if found else ""):
        depth += 1 if bracket == "[" else -1
        if depth == 0:
            return True
    return False


def _guid_of_target(text: str) -> str:
    _, _, behind = text.partition('"Target":[')
    target, closed, _ = behind.partition("]")
    found = _GUID.search(target) if closed else None
    return found[1].lower() if found else ""


def diagnostic_settings(record: AuditRecord, _: Own) -> Match | None:
    """Match a deleted setting, or one written with a log switched off; not the start of the operation."""
    if folded(record.result_status or "") in _NOT_YET:
        return None
    target = record.object_id or ""
    if folded(record.operation).endswith("delete"):
        return Match(target=target, extent="deleted")
    return Match("enabled", "false", target) if _has_disabled_log(record.raw) else None


def _has_disabled_log(raw: str) -> bool:
    """Return True when a category of the setting's logs is off; not for a retention policy or metrics that are.

    The request's body is JSON text inside of JSON texts, of other depth in each log, so it is read as text.
    """
    text = "".join(_unescaped(raw).lower().split())
    logs = (_INNER.sub("", log) for found in _LOGS.findall(text) for log in _LOG.findall(found))
    return any(_OF_CATEGORY.search(log) and _DISABLED.search(log) for log in logs)

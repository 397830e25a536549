"""Checks that each alert rule is on, fires at the first row (or at none), and has a receiver.

There is no gap between its runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.checks import predicted
from infra.checks.predicted import Resource, of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = "infra/modules/alerts.bicep"
QUERIES, ACTIVITY = "Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/activityLogAlerts"
GROUPS = "Microsoft.Insights/actionGroups"
ANY_ROW, NO_ROW = ("Count", "GreaterThan", 0), ("Count", "LessThan", 1)
AT_ONCE = {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "P1D": 1440}
WHEN = {"category": "Administrative", "status": "Succeeded"}


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    text = (root / RULES).read_text(encoding="utf-8")
    absences, expected = len(re.findall(r"^    absence: true$", text, re.MULTILINE)), text.count("loadTextContent(")
    for variant in predicted.VARIANTS:
        found = predicted.resources(root, variant)
        rules = of_type(found, QUERIES)
        if len(rules) != expected or not expected:
            yield f"{variant}: {len(rules)} alert rules, must be {expected}"
        if (fire_on_none := sum(_fires(each) == NO_ROW for each in rules)) != absences:
            yield f"{variant}: {fire_on_none} rules fire when there is no row, must be {absences}"
        for each in (*rules, *of_type(found, ACTIVITY)):
            yield from (f"{variant}: {each['name']}: {problem}" for problem in _wrong(each))
        yield from (f"{variant}: {each['name']} notifies nobody" for each in of_type(found, GROUPS) if _is_mute(each))


def _wrong(rule: Resource) -> Iterator[str]:
    properties = rule["properties"]
    if properties.get("enabled") is not True:
        yield "is off"
    if not properties.get("actions", {}).get("actionGroups"):
        yield "notifies nobody"
    if rule["type"] == ACTIVITY:
        conditions = {each["field"]: each["equals"] for each in properties["condition"]["allOf"]}
        if {name: conditions.get(name) for name in WHEN} != WHEN:
            yield f"fires for {conditions}, must fire for {WHEN}"
        return
    if _fires(rule) not in {ANY_ROW, NO_ROW}:
        yield f"fires on {_fires(rule)}, must fire on {ANY_ROW} or {NO_ROW}"
    if properties["criteria"]["allOf"][0].get("failingPeriods") != AT_ONCE:
        yield "waits for a second evaluation"
    if MINUTES[properties["windowSize"]] <= MINUTES[properties["evaluationFrequency"]]:
        yield "has a window that is not longer than the time between two runs: lines arrive late"


def _fires(rule: Resource) -> tuple[str, str, int]:
    [criterion] = rule["properties"]["criteria"]["allOf"]
    return criterion["timeAggregation"], criterion["operator"], criterion["threshold"]


def _is_mute(group: Resource) -> bool:
    return not (group["properties"].get("enabled") is True and group["properties"].get("emailReceivers"))

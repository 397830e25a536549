"""Checks of the deployment that need no Azure. `make infra` runs them all.

docs/checks.md states what each one checks.

A check is a function of a checkout that yields one line for each problem. It yields a line, too, when what it looks for
is not there at all: nothing found is never nothing wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.checks import (
    access,
    alerting,
    api_versions,
    dates,
    deployment,
    functions,
    hardening,
    packages,
    permissions,
    policies,
    queries,
    rules,
    scanner,
    settings,
    storage_names,
    templates,
    workflows,
)


@dataclass(frozen=True)
class Check:
    """One check, and the programs that it cannot do without."""

    name: str
    holds: str
    """What is so when it finds nothing."""
    run: Callable[[Path], Iterator[str]]
    tools: tuple[str, ...] = ()
    """Without one of these, none of the checks runs."""
    helpful: tuple[str, ...] = ()
    """Without one of these, this check alone is skipped: not every machine can have them."""


BICEP = ("bicep",)
CHECKS = (
    Check(
        "templates", "Bicep builds, lints and formats without a word, from built-in types only", templates.run, BICEP
    ),
    Check("api-versions", "every API version is on the list of those that Azure accepts", api_versions.run),
    Check("dates", "the templates still build in two years", dates.run, BICEP, helpful=("faketime",)),
    Check(
        "hardening", "no keys, no public data, no secret, TLS 1.2, retention that cannot be cut", hardening.run, BICEP
    ),
    Check("policies", "what an organization's policies ask for is made when asked, and only then", policies.run, BICEP),
    Check("alerting", "each alert rule is on, fires at once, and notifies people", alerting.run, BICEP),
    Check("access", "exactly the documented roles are assigned, each on one resource", access.run, BICEP),
    Check("permissions", "the rights that code names are given, and no others", permissions.run, BICEP),
    Check("names", "queues, tables and containers of the code are those of the template", storage_names.run, BICEP),
    Check("settings", "every setting that is read is set to what it must be, and the reverse", settings.run, BICEP),
    Check(
        "functions", "functions that others name exist; versions fit; only health is anonymous", functions.run, BICEP
    ),
    Check("deployment", "azd, its hooks and the template name the same parameters and outputs", deployment.run, BICEP),
    Check("scanner", "checkov finds nothing but what is skipped with a reason", scanner.run, ("bicep", "checkov")),
    Check("queries", "alert rules and workbook ask for what the app sends", queries.run, ("node",)),
    Check("rules", "each alert rule, run, fires on its events and on nothing else", rules.run, rules.TOOLS),
    Check(
        "workflows",
        "GitHub's workflows are sound, pinned, and may do no more than they must",
        workflows.run,
        workflows.TOOLS,
    ),
    Check("packages", "both packages hold what they need and nothing else", packages.run),
)

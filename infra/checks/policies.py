"""Checks that the parameters for an organization's policies take effect only when they are set.

Also that a suffix renames only the apps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.checks import predicted
from infra.checks.predicted import Resource, of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITES, PLANS = "Microsoft.Web/sites", "Microsoft.Web/serverfarms"
LOCKS, ALERTS = "Microsoft.Authorization/locks", "Microsoft.Insights/activityLogAlerts"
LOCKED = {"Microsoft.Storage/storageAccounts", "Microsoft.OperationalInsights/workspaces"}
WATCHED = {
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Web/sites/config/write",
    "Microsoft.Web/sites/delete",
    "Microsoft.Web/sites/stop/action",
    "Microsoft.Web/sites/write",
}
HOST_ID = 32
"""Characters of an app's name that are the id of its host, by which it keeps when its timers last ran."""
LEVEL = "CanNotDelete"
"""Of a lock. A read-only one on a storage account stops the apps as well."""
KEPT = ("Microsoft.Storage/storageAccounts", "Microsoft.ManagedIdentity/userAssignedIdentities")


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    plain, asked = (predicted.resources(root, variant) for variant in ("default", "everything"))
    for kind in (LOCKS, ALERTS):
        if of_type(plain, kind):
            yield f"{kind} is made unasked"
    if (locked := {kind for each in of_type(asked, LOCKS) for kind in LOCKED if kind in str(each["id"])}) != LOCKED:
        yield f"locks are on {sorted(locked)}, must be on {sorted(LOCKED)}"
    if (watched := set(_watched(asked))) != WATCHED:
        yield f"activity alerts watch {sorted(watched)}, must watch {sorted(WATCHED)}"
    for vault in of_type(asked, "Microsoft.KeyVault/vaults"):
        if vault["properties"].get("enablePurgeProtection") is not True:
            yield f"{vault['name']} can be purged in spite of purgeProtection"
    levels = {str(each["properties"].get("level")) for each in of_type(asked, LOCKS)}
    yield from (f"a lock is {level}, must be {LEVEL}" for level in sorted(levels - {LEVEL}))
    yield from _deployed_from(plain, "Allow", 0)
    yield from _deployed_from(asked, "Deny", 2)
    for account in of_type(predicted.resources(root, "closed"), "Microsoft.Storage/storageAccounts"):
        if account["properties"].get("publicNetworkAccess") != "Disabled":
            yield f"{account['name']} has a public endpoint that nothing needs"
    yield from _renamed(plain, asked)


def _watched(found: tuple[Resource, ...]) -> Iterator[str]:
    for each in of_type(found, ALERTS):
        conditions = {it["field"]: it["equals"] for it in each["properties"]["condition"]["allOf"]}
        if each["properties"]["actions"]["actionGroups"]:
            yield conditions["operationName"]


def _deployed_from(found: tuple[Resource, ...], action: str, addresses: int) -> Iterator[str]:
    for each in of_type(found, SITES):
        given = each["properties"]["siteConfig"]
        rules = given.get("scmIpSecurityRestrictions", [])
        if (given.get("scmIpSecurityRestrictionsDefaultAction"), len(rules)) != (action, addresses):
            yield f"{each['name']}: deployment is open to other addresses than deployAddresses"


def _renamed(plain: tuple[Resource, ...], suffixed: tuple[Resource, ...]) -> Iterator[str]:
    for kind in (SITES, PLANS):
        names = [each["name"][:HOST_ID] for found in (plain, suffixed) for each in of_type(found, kind)]
        if len(set(names)) < len(names):
            yield f"{kind}: nameSuffix leaves a name, or the id of a host, as it is"
    for kind in KEPT:
        before, after = ({each["name"] for each in of_type(found, kind)} for found in (plain, suffixed))
        if before - after:
            yield f"{kind}: nameSuffix renames {sorted(before - after)}, which the new apps must keep"

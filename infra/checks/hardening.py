"""What the template must never make, in its default and with everything switched on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infra.checks import predicted
from infra.checks.predicted import Resource, of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "Microsoft.Storage/storageAccounts"
CONTAINER = f"{ACCOUNT}/blobServices/containers"
WANTED: dict[str, dict[str, Any]] = {
    ACCOUNT: {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    },
    CONTAINER: {"publicAccess": "None"},
    "Microsoft.Web/sites": {
        "httpsOnly": True,
        "siteConfig.minTlsVersion": "1.2",
        "siteConfig.scmMinTlsVersion": "1.2",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
    "Microsoft.EventGrid/topics": {"disableLocalAuth": True, "inputSchema": "CloudEventSchemaV1_0"},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    f"{CONTAINER}/immutabilityPolicies": {"allowProtectedAppendWrites": True},
}
"""What each resource of a type must say. A type that the template does not make at all is a problem, too."""
AT_LEAST = {ACCOUNT: 3, "Microsoft.Web/sites": 2, "Microsoft.Web/sites/basicPublishingCredentialsPolicies": 4}
NOT_ON_FLEX = re.compile(
    r"FUNCTIONS_WORKER_RUNTIME(?:_VERSION)?|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|ENABLE_ORYX_BUILD|"
    r"SCM_DO_BUILD_DURING_DEPLOYMENT|WEBSITE_CONTENT\w+|WEBSITE_TIME_ZONE|TZ"
)
"""App settings that Flex Consumption refuses or ignores."""
SITE_NOT_ON_FLEX = {
    *(
        "alwaysOn",
        "linuxFxVersion",
        "ftpsState",
        "vnetRouteAllEnabled",
        "netFrameworkVersion",
        "endToEndEncryptionEnabled",
    ),
    *("use32BitWorkerProcess", "javaVersion", "nodeVersion", "phpVersion", "powerShellVersion", "pythonVersion"),
}
"""Of an app or its siteConfig: the runtime stands in functionAppConfig, and the rest is not there on this plan."""
SECRET = re.compile(
    r"\blist(?:Keys|AccountSas|ServiceSas|Secrets|\w*Credentials)\s*\(|AccountKey=|SharedAccessSignature", re.IGNORECASE
)
VAULT = "@Microsoft.KeyVault("


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    for variant in predicted.VARIANTS:
        found = predicted.resources(root, variant)
        for problem in (*_wanted(found), *_checkpoints(found), *_isolated(found, isolated=variant != "default")):
            yield f"{variant}: {problem}"
    for template in ("main.bicep", "events.bicep"):
        yield from (f"{template}: {problem}" for problem in _secrets(predicted.compiled(root, template)))
    yield from _settings(root)


def _wanted(found: tuple[Resource, ...]) -> Iterator[str]:
    for kind, properties in WANTED.items():
        each = of_type(found, kind)
        if len(each) < AT_LEAST.get(kind, 1):
            yield f"{len(each)} of {kind}, at least {AT_LEAST.get(kind, 1)} are expected"
        for resource in each:
            for path, value in properties.items():
                if (actual := _at(resource["properties"], path)) != value:
                    yield f"{resource['name']}: {path} is {actual}, must be {value}"


def _at(properties: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    for name in path.split("."):
        properties = properties.get(name) if isinstance(properties, dict) else None
    return properties


def _checkpoints(found: tuple[Resource, ...]) -> Iterator[str]:
    policies = of_type(found, f"{CONTAINER}/immutabilityPolicies")
    held = {each["name"].split("/")[2] for each in policies}
    if held != {"log-checkpoints"}:
        yield f"immutable are {sorted(held)}, must be log-checkpoints and nothing else"
    for each in policies:
        if each["properties"].get("immutabilityPeriodSinceCreationInDays", 0) < 1:
            yield f"{each['name']}: no days of retention"


def _isolated(found: tuple[Resource, ...], *, isolated: bool) -> Iterator[str]:
    """Private endpoints where they are asked for, and then no account that everybody reaches."""
    endpoints = of_type(found, "Microsoft.Network/privateEndpoints")
    if bool(endpoints) != isolated:
        yield f"{len(endpoints)} private endpoints"
    for each in of_type(found, ACCOUNT):
        action = _at(each["properties"], "networkAcls.defaultAction")
        if isolated and action != "Deny":
            yield f"{each['name']}: reached from everywhere (defaultAction {action}) beside its private endpoint"


def _secrets(compiled: dict[str, Any]) -> Iterator[str]:
    for name, parameter in compiled.get("parameters", {}).items():
        if parameter["type"].lower().startswith("secure") or re.search(r"secret|password|key\b", name, re.IGNORECASE):
            yield f"parameter {name} takes a secret; the one that there is belongs in the vault"
    for name, output in _outputs(compiled):
        if output["type"].lower().startswith("secure") or SECRET.search(str(output.get("value"))):
            yield f"output {name} gives a secret away"
    for secret in sorted(set(SECRET.findall(str(compiled.get("resources"))))):
        yield f"a key is read: {secret}"


def _outputs(compiled: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from compiled.get("outputs", {}).items()
    for each in predicted.made(compiled):
        if nested := each.get("properties", {}).get("template"):
            yield from _outputs(nested)


def _settings(root: Path) -> Iterator[str]:
    for service in ("responder", "exchange-worker"):
        for name, value in predicted.app_settings(root, "everything", service).items():
            if NOT_ON_FLEX.fullmatch(name):
                yield f"{service}: {name} must not be set on Flex Consumption"
            if "SECRET" in name and VAULT not in value:
                yield f"{service}: {name} is not a reference to the vault"
    for each in of_type(predicted.resources(root, "everything"), "Microsoft.Web/sites"):
        if wrong := SITE_NOT_ON_FLEX & {*each["properties"], *each["properties"].get("siteConfig", {})}:
            yield f"{each['name']}: {min(wrong)} must not be set on Flex Consumption"

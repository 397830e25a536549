"""What azd, its hooks and the templates call each other: services, parameters, outputs, files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from infra.checks import predicted
from infra.checks.predicted import of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OF_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID"}
"""Variables that azd sets."""
NAMED_BY_AZD = {"environmentName": "AZURE_ENV_NAME", "location": "AZURE_LOCATION"}
CHOICES = {"BYPASS_GRANT", "EVENTS_RETRY_SECONDS", "EVENTS_TEMPLATE", "MODULES_FROM", "GALLERY_URL"}
"""Variables that a person may set for the hooks; the documents explain them."""
OF_THE_SHELL = {"AZ_MINIMUM", "HOOK", "VENV", "PATH", "PWD", "LASTEXITCODE"}
WITHOUT_VARIABLE = {"tags"}
"""Parameters that are objects: azd cannot take one from a variable."""


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    yield from _parameters(root)
    yield from _services(root)
    yield from _hooks(root)
    yield from _events(root)


def _parameters(root: Path) -> Iterator[str]:
    declared = predicted.compiled(root).get("parameters", {})
    given = json.loads((root / "infra" / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    yield from (
        f"main.parameters.json gives {name}, which main.bicep does not take"
        for name in sorted(set(given) - set(declared))
    )
    for name in sorted(set(declared) - set(given) - WITHOUT_VARIABLE):
        yield f"main.parameters.json has no {name}, so azd can never set it"
    for name in sorted(set(declared) & set(given)):
        yield from _taken_from(name, declared[name], str(given[name].get("value")))
    for name, parameter in declared.items():
        if not (parameter.get("metadata") or {}).get("description"):
            yield f"main.bicep: parameter {name} has no description"


def _taken_from(name: str, parameter: dict[str, Any], value: str) -> Iterator[str]:
    """Yield a problem unless the variable is named after the parameter and keeps its default."""
    match = re.fullmatch(r"\$\{(\w+)(?:=(.*))?\}", value)
    variable = NAMED_BY_AZD.get(name) or re.sub(r"([A-Z])", r"_\1", name).upper()
    if not match or match[1] != variable:
        yield f"main.parameters.json takes {name} from {value}, must be ${{{variable}}}"
        return
    default = parameter.get("defaultValue")
    wanted = None if default is None else json.dumps(default) if isinstance(default, bool) else str(default)
    if match[2] != wanted:
        yield f"main.parameters.json: {variable} is {match[2]!r} by default, main.bicep says {wanted!r}"


def _services(root: Path) -> Iterator[str]:
    text = (root / "azure.yaml").read_text(encoding="utf-8")
    services = set(re.findall(r"^  ([a-z-]+):\n    project:", text, re.MULTILINE))
    sites = of_type(predicted.resources(root, "default"), "Microsoft.Web/sites")
    tagged = {str(each.get("tags", {}).get("azd-service-name")) for each in sites}
    if not services or services != tagged:
        yield f"azure.yaml deploys {sorted(services)}, apps are tagged {sorted(tagged)}"
    for file in re.findall(r"run: (\S+?) *}", text):
        if not (root / file).is_file():
            yield f"azure.yaml runs {file}, which is not there"
    if "uses: [exchange-worker]" not in text:
        yield "azure.yaml: the responder must be deployed after the exchange-worker (uses)"


def _hooks(root: Path) -> Iterator[str]:
    outputs = set(predicted.compiled(root).get("outputs", {}))
    variables = set(re.findall(r"\$\{(\w+)", (root / "infra" / "main.parameters.json").read_text(encoding="utf-8")))
    known = outputs | variables | OF_AZD | CHOICES | OF_THE_SHELL
    hooks = sorted((root / "infra" / "hooks").glob("*.*sh")) + sorted((root / "infra" / "hooks").glob("*.ps1"))
    for path in dict.fromkeys(hooks):
        text = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        read = set(re.findall(r"\$(?:env:|\{)?([A-Z][A-Z_]{2,})\b", text)) | set(
            re.findall(r"\b[A-Z]+(?:_[A-Z]+){1,}\b", " ".join(re.findall(r"(?:need|Assert-Setting) (.*)", text)))
        )
        for name in sorted(read - known):
            yield f"infra/hooks/{path.name} reads {name}, which is no output of main.bicep and no variable of azd"
    if len(
        {path.stem for path in hooks if path.suffix == ".sh"} ^ {path.stem for path in hooks if path.suffix == ".ps1"}
    ):
        yield "infra/hooks: a hook is there for one system only"


def _events(root: Path) -> Iterator[str]:
    taken = set(predicted.compiled(root, "events.bicep").get("parameters", {}))
    for name in ("postdeploy.sh", "postdeploy.ps1"):
        text = (root / "infra" / "hooks" / name).read_text(encoding="utf-8")
        given = set(re.findall(r'"(\w+)=[$]', text))
        if given != taken:
            yield f"infra/hooks/{name} gives events.bicep {sorted(given)}, it takes {sorted(taken)}"

"""docs/infrastructure.md and the parameters of azd match infra/main.bicep.

The template is read as text, without Bicep.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from bypass_responder.adapters.storage_clients import CONTAINERS, OF_THE_WORKER, TABLES
from bypass_responder.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
DOCUMENT = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
SET_BY_AZD = {"environmentName": "AZURE_ENV_NAME", "location": "AZURE_LOCATION"}
NOT_OF_AZD = {"tags"}
"""An object, which azd cannot take from a variable."""
NOT_A_DEFAULT = {"required": None, "none": ""}


def parameters() -> dict[str, str | None]:
    """Name to default; None is required."""
    found = re.findall(r"^param (\w+) (.*)$", MAIN, re.MULTILINE)
    return {name: rest.rpartition(" = ")[2].strip("'") if " = " in rest else None for name, rest in found}


def variable(parameter: str) -> str:
    return SET_BY_AZD.get(parameter) or re.sub(r"([A-Z])", r"_\1", parameter).upper()


def documented() -> dict[str, list[str]]:
    """Name to the other cells."""
    table = DOCUMENT.split("## Parameters\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    lines = [line.strip().strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_every_parameter_is_documented_and_every_documented_one_exists() -> None:
    assert set(documented()) == set(parameters())


def test_every_default_is_the_documented_one() -> None:
    said = {name: NOT_A_DEFAULT.get(cells[1], cells[1].strip("`")) for name, cells in documented().items()}

    assert said == parameters() | {"tags": ""}


def test_each_parameter_is_documented_with_its_variable() -> None:
    said = {name: cells[0].strip("`") for name, cells in documented().items()}

    assert said == {name: variable(name) for name in parameters()} | {"tags": said["tags"]}


def test_azd_takes_each_parameter_from_its_variable_with_the_same_default() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    wanted = {
        name: f"${{{variable(name)}}}" if default is None else f"${{{variable(name)}={default}}}"
        for name, default in parameters().items()
        if name not in NOT_OF_AZD
    }

    assert {name: value["value"] for name, value in given.items()} == wanted


def in_words(default: object) -> str:
    if isinstance(default, frozenset):
        return ",".join(sorted(default))
    return "" if default is None else str(default)


def test_a_setting_that_is_a_parameter_has_the_default_of_the_app() -> None:
    settings = {name: field.default for name, field in Settings.model_fields.items()}
    both = {name: default for name, default in parameters().items() if variable(name).lower() in settings}
    of_the_app = {name: settings[variable(name).lower()] for name in both}

    assert both == {name: in_words(default) for name, default in of_the_app.items()}


def test_the_table_of_rights_names_every_table_and_container_and_no_other() -> None:
    rights = DOCUMENT.split("## Who may do what in the data account\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    things = [line.split("|")[1] for line in rights.splitlines() if re.match(r"\| (tables?|container) ", line)]

    assert set(re.findall(r"`([^`]+)`", "".join(things))) == {*TABLES, *CONTAINERS, *OF_THE_WORKER}

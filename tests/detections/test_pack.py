"""What is checked in is what the Sigma rules give, and each product can read its part."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
import uuid
from pathlib import Path
from typing import Any

import pytest
from sigma.plugins import InstalledSigmaPlugins
from sigma.validation import SigmaValidator

from detections.pack import GENERATED, HERE, RULES, elastic_rule, files, rule, sentinel_rule
from detections.trial import TABLES, Fixture, fixtures
from sandbox.node import node

ROOT = HERE.parent
LEFT_OUT = {
    "attacktag": "downloads the list of tags",
    "d3_fendtag": "downloads the list of tags",
    "number_as_string": "a parameter's value is text in the record, also 1 and 0",
}
"""Validators of Sigma that do not apply, and why."""
KQL = [f"{target}/{name}.kql" for target in ("sentinel", "defender") for name in RULES]


@pytest.mark.parametrize("path", files())
def test_a_generated_file_is_checked_in_as_it_is_generated(path: str) -> None:
    assert (HERE / path).read_text("utf-8") == files()[path], "run `make detections`"


def test_no_other_generated_file_is_there() -> None:
    there = {path.relative_to(HERE).as_posix() for pattern in GENERATED for path in HERE.glob(pattern)}

    assert there == set(files())


# ---- Sigma -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_may_fire_it_by_mistake(name: str) -> None:
    assert rule(name).falsepositives


def test_sigmas_own_validators_find_nothing() -> None:
    known = InstalledSigmaPlugins.autodiscover(include_backends=False, include_pipelines=False).validators
    offline = [each for name, each in known.items() if name not in LEFT_OUT]
    validator = SigmaValidator(offline)  # type: ignore[arg-type]  # pySigma annotates its classes as instances
    found = validator.validate_rules(rule(name) for name in RULES)

    assert len(offline) > 20
    assert found == []


# ---- Kusto -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    """What Microsoft's own parser says of each Kusto query, with the columns of its table."""
    program = node()
    if program is None or not (ROOT / "node_modules/@kusto").is_dir():
        pytest.skip("Kusto's parser is not installed: `make setup`")
    tables = {name: ", ".join(f"{column}:{kind}" for column, kind in table.items()) for name, table in TABLES.items()}
    asked = json.dumps({"tables": tables, "queries": {path: files()[path] for path in KQL}})
    command = [program, "infra/checks/kusto.cjs"]
    ended = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("path", KQL)
def test_kustos_own_parser_accepts_a_query(path: str, parsed: dict[str, Any]) -> None:
    assert parsed[path]["problems"] == []


@pytest.mark.parametrize("name", RULES)
def test_a_query_for_defender_is_one_that_may_run_continuously(name: str) -> None:
    text = files()[f"defender/{name}.kql"]
    used = re.findall(r"^\| ([a-z-]+)|(//)", text, re.MULTILINE)

    assert {word for found in used for word in found if word} == {"where", "extend", "project"}


@pytest.mark.parametrize("name", RULES)
def test_a_query_for_defender_has_the_columns_that_a_detection_rule_needs(name: str) -> None:
    columns = files()[f"defender/{name}.kql"].split("| project ")[1]

    assert {"Timestamp", "ReportId", "AccountObjectId"} <= set(re.findall(r"\w+", columns))


@pytest.mark.parametrize("name", RULES)
def test_every_column_that_a_rule_of_sentinel_names_is_one_of_its_query(name: str) -> None:
    made = sentinel_rule(name)
    named = {each["columnName"] for entity in made["entityMappings"] for each in entity["fieldMappings"]}
    columns = files()[f"sentinel/{name}.kql"].split("| distinct ")[1]

    assert {*named, *made["customDetails"].values()} <= set(re.findall(r"\w+", columns))


@pytest.mark.parametrize("name", RULES)
def test_only_a_rule_about_one_account_has_it_as_an_entity(name: str) -> None:
    target = [each for each in sentinel_rule(name)["entityMappings"] if "Target" in json.dumps(each)]

    assert bool(target) == (name in {"bypass", "action_lists"})


@pytest.mark.skipif(shutil.which("bicep") is None, reason="bicep is not on PATH")
def test_the_rules_of_sentinel_build(tmp_path: Path) -> None:
    command = ["bicep", "build", str(HERE / "sentinel" / "rules.bicep"), "--outfile", str(tmp_path / "rules.json")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    built = json.loads((tmp_path / "rules.json").read_text("utf-8"))

    assert (ended.returncode, ended.stderr) == (0, "")
    assert {name for name in RULES if name in json.dumps(built["variables"])} == set(RULES)


# ---- Elastic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_the_toml_of_elastic_has_the_rule_that_kibana_imports(name: str) -> None:
    imported = elastic_rule(name)
    written = tomllib.loads(files()[f"elastic/{name}.toml"])["rule"]

    assert written.items() <= imported.items()
    assert uuid.UUID(written["rule_id"]).version


def test_kibana_imports_every_rule() -> None:
    lines = [json.loads(line) for line in files()["elastic/rules.ndjson"].splitlines()]

    assert [line["name"] for line in lines] == [rule(name).title for name in RULES]


# ---- Splunk ----------------------------------------------------------------------------------------------------------


def test_the_search_of_splunk_names_the_cmdlet_before_the_first_pipe() -> None:
    assert 'Operation="Set-MailboxAuditBypassAssociation"' in files()["splunk/bypass.spl"].split("|")[0]


def test_the_search_of_splunk_says_that_it_was_not_executed() -> None:
    assert files()["splunk/bypass.spl"].rstrip().splitlines()[-1].startswith("```Not executed")


@pytest.mark.parametrize("fixture", fixtures(), ids=lambda fixture: fixture.name)
def test_the_search_of_splunk_takes_the_value_from_the_element_of_that_name(fixture: Fixture) -> None:
    """Splunk itself runs nowhere else, but its regular expressions do."""
    [pattern] = re.findall(r'mvfilter\(match\(parameter, "(.*)"\)\)', files()["splunk/bypass.spl"])
    elements = [json.dumps(each) for each in fixture.record["Parameters"]]
    taken = [json.loads(each)["Name"].lower() for each in elements if re.search(pattern.replace('\\"', '"'), each)]
    named = [each["Name"].lower() for each in fixture.record["Parameters"]]

    assert taken == [name for name in named if name == "auditbypassenabled"]

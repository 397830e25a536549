"""Runs the queries of the pack on its fixtures, on the engines that exist.

They are duckdb-kql for KQL and eql for EQL. SPL has none: `splunk/` is not executed.
"""

from __future__ import annotations

import json
import uuid
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb_kql
import eql
import yaml
from duckdb_kql.engine import schema
from eql.parser import elasticsearch_syntax

from detections import shapes
from detections.pack import HERE, RULES, query
from infra.checks.run_kql import TYPES, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Json = dict[str, Any]
TABLES: Mapping[str, Mapping[str, str]] = json.loads((HERE / "tables.json").read_text("utf-8"))
DEFAULTS = {
    "CreationTime": "2026-03-02T09:15:30",
    "Operation": "Set-MailboxAuditBypassAssociation",
    "OrganizationId": "5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70",
    "RecordType": 1,
    "ResultStatus": "True",
    "UserType": 2,
    "Workload": "Exchange",
    "ClientIP": "198.51.100.7:56806",
    "ObjectId": "7d3b1c52-4c7d-4e0b-8f0a-2b6f0a9d1e11",
    "UserId": "mallory@contoso.example",
}


class Fixture(NamedTuple):
    """A record, and the rule that has to fire for it, if any."""

    name: str
    file: str
    fires: str | None
    record: Json


class Form(NamedTuple):
    """A form in which a product stores records."""

    target: str
    name: str
    shape: Callable[[Json], Json]


FORMS = (
    Form("sentinel", "Parameters on one line", shapes.office_activity),
    Form("sentinel", "Parameters indented", partial(shapes.office_activity, indent=2)),
    Form("defender", "RawEventData an object", shapes.cloud_app_event),
    Form("defender", "RawEventData a text", partial(shapes.cloud_app_event, as_text=True)),
    Form("elastic", "a field for each parameter", shapes.elastic_document),
)
_TABLE = {"sentinel": "OfficeActivity", "defender": "CloudAppEvents"}


def fixtures() -> list[Fixture]:
    """Every record that the rules are tried on; each rule is tried on all of them."""
    found = []
    for name in RULES:
        given = yaml.safe_load((HERE / "fixtures" / f"{name}.yml").read_text("utf-8"))
        found += [_fixture(each, name, name) for each in given["positive"]]
        found += [_fixture(each, name, None) for each in given["negative"]]
    return found


def expected(rule: str) -> set[str]:
    """The fixtures for which the rule has to fire."""
    return {each.name for each in fixtures() if each.fires == rule}


@cache
def fired(form: Form) -> dict[str, set[str]]:
    """Rule → the fixtures for which it fires."""
    queries = {rule: query(rule, form.target) for rule in RULES}
    names = {each.record["Id"]: each.name for each in fixtures()}
    rows = [form.shape(each.record) for each in fixtures()]
    ids = eql_matches(queries, rows) if form.target == "elastic" else kql_matches(queries, _TABLE[form.target], rows)
    return {rule: {names[each] for each in found} for rule, found in ids.items()}


def kql_matches(queries: Mapping[str, str], table: str, rows: Sequence[Json]) -> dict[str, list[str]]:
    """Query → RecordId of each row of its answer."""
    with duckdb_kql.connect() as connection:
        connection.execute("SET threads = 1")
        columns = dict(TABLES[table])
        typed = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in columns.items())
        connection.execute(f'CREATE TABLE "{table}" ({typed})')
        insert(connection, table, columns, list(rows))
        found = {}
        for name, text in queries.items():
            answer = connection.execute(duckdb_kql.to_sql(text, schema=schema(connection)))
            place = [column[0] for column in answer.description].index("RecordId")
            found[name] = [row[place] for row in answer.fetchall()]
    return found


def eql_matches(queries: Mapping[str, str], documents: Sequence[Json]) -> dict[str, list[str]]:
    """Query → event.id of each document that it matches."""
    found: dict[str, list[str]] = {}
    for name, text in queries.items():
        engine = eql.PythonEngine()
        matches: list[Any] = []
        with elasticsearch_syntax:
            engine.add_query(eql.parse_query(text))
        engine.add_output_hook(matches.append)
        engine.stream_events([eql.Event("any", 0, document) for document in documents])
        found[name] = [event.data["event"]["id"] for match in matches for event in match.events]
    return found


def _fixture(given: Json, file: str, fires: str | None) -> Fixture:
    fields = {key: value for key, value in given.items() if key not in {"name", "Parameters"}}
    parameters = [{"Name": name, "Value": value} for name, value in given["Parameters"].items()]
    record = DEFAULTS | {"Id": str(uuid.uuid5(uuid.NAMESPACE_OID, given["name"]))} | fields | {"Parameters": parameters}
    without_null = {key: value for key, value in record.items() if value is not None}
    return Fixture(given["name"], file, fires, without_null)

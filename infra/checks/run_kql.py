"""Runs Kusto queries on DuckDB, in the environment of infra/requirements-checks.txt (duckdb-kql).

Reads ``{"tables": {name: {column: type}}, "queries": {name: text}, "scenarios": {name: {table: [row]}}}`` on stdin.
Writes, for each query and scenario, ``{"columns": […], "rows": count}``, or ``{"problem": text}`` for a query.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import duckdb
import duckdb_kql
from duckdb_kql.engine import schema

TYPES = {
    "string": "VARCHAR", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE", "bool": "BOOLEAN",
    "datetime": "TIMESTAMP", "dynamic": "JSON",
}  # fmt: skip
Json = dict[str, Any]


def main() -> None:
    """Answer one request."""
    given = json.load(sys.stdin)
    connection = duckdb_kql.connect()
    connection.execute("SET threads = 1")
    for table, columns in given["tables"].items():
        typed = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in columns.items())
        connection.execute(f'CREATE TABLE "{table}" ({typed})')
    translated = {name: sql_of(text, schema(connection)) for name, text in given["queries"].items()}
    answer: dict[str, Json] = {name: {"problem": found} for name, (sql, found) in translated.items() if not sql}
    for scenario, tables in given["scenarios"].items():
        for table, rows in tables.items():
            insert(connection, table, given["tables"][table], rows)
        for name, (sql, _) in translated.items():
            if sql and "problem" not in answer.setdefault(name, {}):
                answer[name] |= ran(connection, sql, scenario)
        for table in tables:
            connection.execute(f'TRUNCATE "{table}"')
    json.dump(answer, sys.stdout)


def sql_of(text: str, tables: dict[str, list[str]]) -> tuple[str, str]:
    """The query as SQL, or what of it cannot be translated."""
    try:
        return str(duckdb_kql.to_sql(text, schema=tables)), ""
    except duckdb_kql.KqlError as problem:
        return "", f"{type(problem).__name__}: {problem}"


def insert(connection: Any, table: str, columns: dict[str, str], rows: list[Json]) -> None:  # noqa: ANN401 - the library has no types here
    """Put the rows into a table."""
    form = json.dumps([{name: TYPES[kind] for name, kind in columns.items()}])
    unpacked = f"unnest(from_json(?::JSON, '{form}'), max_depth := 2)"
    connection.execute(f'INSERT INTO "{table}" SELECT {unpacked}', [json.dumps(rows)])


def ran(connection: Any, sql: str, scenario: str) -> Json:  # noqa: ANN401 - the library has no types here
    """The columns and the number of rows that a query answers with."""
    try:
        answer = connection.execute(sql)
        return {scenario: {"columns": [column[0] for column in answer.description], "rows": len(answer.fetchall())}}
    except duckdb.Error as problem:
        return {"problem": f"{type(problem).__name__}: {problem}"}


if __name__ == "__main__":
    main()

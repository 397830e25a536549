"""Checks the queries of the alert rules and the workbook with Kusto's own parser.

They may use only words and fields that the app sends.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.event_lines import FIELDS, WORDS
from bypass_responder.model.log import ABOUTS
from bypass_responder.model.notification import Severity
from sandbox.node import node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOLD_BY_OTHERS = {"health": "each health alert is in a rule by its id"}
NOT_PAGED = {
    "allowlist_expiring": "a weekly summary; no immediate action is required",
    "recovered": "the problem is resolved; no action is required",
    "restored": "auditing is on again; what is left to do was paged before",
    "acknowledged": "a person has the incident",
    "decision_carried_out": "a person has decided",
    "plan_ended": "a plan of mailbox changes has ended, which somebody has asked for",
    "test": "a person asked for it, to see who receives it",
}
"""Notifications that no rule fires for, and why. Every other kind, and every health alert, is in exactly one rule."""
HOST_FIELDS = {"faas.name"}
"""Of the host's own telemetry."""
RULES = "infra/modules/alerts.bicep"
WORKBOOK = "infra/workbook.json"
QUERIES = "infra/queries"
PARSER_FROM = Path(__file__).resolve().parents[2] / "node_modules"
PAGE = "docs/telemetry.md"


def run(root: Path) -> Iterator[str]:
    """Return one line per problem: an invalid query, a word that is never sent, a rule without its query."""
    texts = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in (root / QUERIES).glob("*.kql")}
    texts = dict(sorted(texts.items()))
    yield from _loaded(root, set(texts))
    texts |= {f"{WORKBOOK} {title}": text for title, text in _workbook(root)}
    texts |= {f"{PAGE} query {number}": text for number, text in enumerate(_documented(root), start=1)}
    looked = _look(root, texts)
    known = {
        "about": ABOUTS,
        "alert": frozenset(ADVICE),
        "severity": frozenset(Severity),
        "what": ABOUTS | frozenset(ADVICE) | _functions(root),
        "Message": WORDS,
        "event": WORDS,
    }
    for name, found in looked.items():
        yield from (f"{name}: {problem}" for problem in found["problems"])
        yield from (f"{name}: no line has the field {field}" for field in set(found["fields"]) - FIELDS - HOST_FIELDS)
        for column, words in found["compared"]:
            unknown = set(words) - known.get(column, frozenset(words))
            yield from (f"{name}: nothing has {column} {word}" for word in sorted(unknown))
    yield from _paged({name: found for name, found in looked.items() if name.startswith(QUERIES)})


def _look(root: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    program = node()
    if program is None or not (PARSER_FROM / "@kusto").is_dir():
        raise FileNotFoundError("Node, or Kusto's parser, is not installed: run `make setup`")
    tables: dict[str, dict[str, str]] = json.loads((root / "infra/checks/log_tables.json").read_text("utf-8"))
    schemas = {name: ", ".join(f"{column}:{kind}" for column, kind in table.items()) for name, table in tables.items()}
    asked = json.dumps({"tables": schemas, "queries": texts})
    command = [program, str(Path(__file__).with_name("kusto.cjs"))]
    ended = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, cwd=root)  # noqa: S603 - our own program
    looked: dict[str, Any] = json.loads(ended.stdout)
    return looked


def _loaded(root: Path, there: set[str]) -> Iterator[str]:
    """Each query in one rule, and each rule with a query and a page that are there."""
    rules = (root / RULES).read_text("utf-8")
    named = [f"infra/{path}" for path in re.findall(r"loadTextContent\('\.\./(queries/[^']+)'\)", rules)]
    yield from (f"{RULES}: {path} is not there" for path in sorted(set(named) - there))
    yield from (f"{path}: no rule in {RULES} loads it" for path in sorted(there - set(named)))
    yield from (
        f"{RULES}: {path} is loaded twice" for path in sorted({path for path in named if named.count(path) > 1})
    )
    runbook = (root / "docs/runbook.md").read_text("utf-8")
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-") for line in _headings(runbook)}
    sections = re.findall(r"runbook: '([^']*)'", rules)
    yield from (f"{RULES}: docs/runbook.md has no #{section}" for section in sections if section not in headings)
    if len(sections) != len(named):
        yield f"{RULES}: {len(named)} queries, and {len(sections)} sections of the runbook"


def _headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def _workbook(root: Path) -> Iterator[tuple[str, str]]:
    """Title and text of each query."""
    book = json.loads((root / WORKBOOK).read_text("utf-8"))
    for item in book["items"]:
        if "query" in item["content"]:
            yield item["content"]["title"], item["content"]["query"]


def _documented(root: Path) -> list[str]:
    """The queries that documents ask a person to run."""
    return re.findall(r"^```kusto\n(.*?)^```$", (root / PAGE).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def _functions(root: Path) -> frozenset[str]:
    """The functions of both apps, by the names under which their runs are logged."""
    tree = ast.parse((root / "function_app.py").read_text("utf-8"))
    ours = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(ours | {path.parent.name for path in (root / "src/exchange_worker").glob("*/function.json")})


def _paged(looked: Mapping[str, Any]) -> Iterator[str]:
    """Return each notification and health alert that does not fire exactly one rule.

    Those listed with a reason are left out.
    """
    for column, words in (("about", ABOUTS - set(TOLD_BY_OTHERS)), ("alert", frozenset(ADVICE))):
        for word in sorted(words):
            rules = [
                name
                for name, found in looked.items()
                if any(word in texts for compared, texts in found["compared"] if compared == column)
            ]
            wanted = 0 if word in NOT_PAGED else 1
            if len(rules) != wanted:
                yield f"{QUERIES}: {column} {word} is in {len(rules)} rules{': ' if rules else ''}{', '.join(rules)}"

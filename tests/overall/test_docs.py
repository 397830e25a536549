"""What the documents say is what the code has, and the other way round."""

from __future__ import annotations

import ast
import json
import re
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest
import typer

from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES
from bypass_responder.adapters.webhook import WebhookNotifier
from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.cli.app import app
from bypass_responder.decision import Verdict
from bypass_responder.model.case import ROWS
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.log import ABOUTS
from bypass_responder.model.message import CommandKind, ExchangeCommand, ExchangeObject, ExchangeOutcome, ExchangeResult
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.receiver import ReceiverKind, receivers_of
from bypass_responder.model.step import Effect, StepState
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
CODE = sorted((ROOT / "src").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in CODE}
STORAGE = {"ResponderStorage", *(f"ResponderStorage__{kind}ServiceUri" for kind in ("table", "queue", "blob"))}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TENANT, ACCOUNT = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10", "c056122f-e441-5935-9677-f78aaca4518c"


def document(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """From a heading to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    after = text.split(f"{heading}\n", maxsplit=1)[1]
    return re.split(rf"^#{{1,{level}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row but the header's."""
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        for line in table.splitlines()[2:]:
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def first_words(text: str) -> list[str]:
    return [word for cells in rows(text) for word in words(cells[0])]


# ---- settings --------------------------------------------------------------------------------------------------------


def settings_documented() -> dict[str, str]:
    """Name to the cell of its default."""
    return {name: cells[1] for cells in rows(document("settings.md")) for name in words(cells[0])}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    there = {name.upper() for name in Settings.model_fields if name != "storage"} | STORAGE

    assert set(settings_documented()) == there


def test_every_default_is_the_documented_one() -> None:
    fields = Settings.model_fields
    plain = {
        name: str(getattr(fields[name.lower()].default, "value", fields[name.lower()].default))
        for name in settings_documented()
        if isinstance(fields.get(name.lower(), fields["storage"]).default, str | int)
    }

    assert {name: words(cell)[0] for name, cell in settings_documented().items() if words(cell)} == plain


def test_a_setting_without_default_is_called_required() -> None:
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()} - {"STORAGE"}

    assert {name for name, cell in settings_documented().items() if cell == "required"} == required


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text(encoding="utf-8"))["Values"]
    return values


def test_the_example_names_every_setting_without_default() -> None:
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()} - {"STORAGE"}

    assert required | {"ResponderStorage"} <= example().keys()


def test_the_example_names_every_setting_that_a_binding_reads() -> None:
    read = set(re.findall(r"%(\w+)%", (ROOT / "function_app.py").read_text(encoding="utf-8")))

    assert read <= example().keys()


def test_the_example_is_valid_and_observes() -> None:
    assert not Settings.from_environment(example()).enforce


# ---- bypassctl -------------------------------------------------------------------------------------------------------

OF_BYPASSCTL = r" --profile \S+( …)?| --local-time"
"""Its own options, which may stand anywhere."""


def commands() -> dict[str, set[str]]:
    """Each command with its options."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, name: str) -> None:
        if children := getattr(command, "commands", None):
            for child, inner in children.items():
                walk(inner, f"{name} {child}")
        else:
            found[name] = {option for each in command.params for option in each.opts if option.startswith("--")}

    walk(typer.main.get_command(app), "bypassctl")
    return found


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    documented = re.findall(r"^## `(bypassctl [a-z -]+)`$", document("bypassctl.md"), re.MULTILINE)

    assert sorted(documented) == sorted(commands())


@pytest.mark.parametrize("command", commands())
def test_the_table_of_a_command_has_exactly_its_options(command: str) -> None:
    text = section(document("bypassctl.md"), f"## `{command}`")

    assert set(first_words(text)) == commands()[command]


@pytest.mark.parametrize("command", commands())
def test_a_command_has_an_example(command: str) -> None:
    text = section(document("bypassctl.md"), f"## `{command}`")

    assert re.search(rf"```sh\n{command}\b", text)


def test_the_index_leads_to_every_document() -> None:
    links = set(re.findall(r"\]\(([^)#]+)", document("README.md")))

    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= links


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_no_command_or_option_that_is_not_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    groups = {command.rsplit(" ", 1)[0] for command in commands()}
    groups |= {f"bypassctl {option}" for each in typer.main.get_command(app).params for option in each.opts}
    unknown = []
    for used in re.findall(r"^(?:.*/)?(bypassctl (?:--profile )?[a-z].*)$|`(bypassctl [^`]+)`", text, re.MULTILINE):
        line = re.sub(OF_BYPASSCTL, "", (used[0] or used[1]).split("#")[0])
        name = max((name for name in commands() if line.startswith(name)), key=len, default=None)
        options = set(re.findall(r"(?<=\s)--[a-z-]+", line))
        if line.strip() not in groups and (name is None or not options <= commands()[name]):
            unknown.append(line)

    assert unknown == []


# ---- notifications and the runbook -----------------------------------------------------------------------------------


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == name:
                yield node


def abouts() -> set[str]:
    """The first argument of every ``.notify(…)`` and ``.notify_about(…)``.

    For a parameter, these are the values that the callers give.
    """
    found: set[str] = set()
    for tree in TREES.values():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            names = [argument.arg for argument in function.args.args]
            for call in (*_calls(function, "notify"), *_calls(function, "notify_about")):
                about = call.args[0]
                if isinstance(about, ast.Name):
                    place = names.index(about.id)
                    given = [each.args[place] for each in _calls(tree, function.name)]
                else:
                    given = [about]
                for each in given:
                    word = _constant(each)
                    assert word, f"{ast.unparse(each)}: needs a separate word, so that the runbook can name it"
                    found.add(word)
    return found


def test_every_notification_is_in_the_runbook_and_every_one_there_exists() -> None:
    assert sorted(first_words(section(document("runbook.md"), "## Notifications"))) == sorted(abouts())


def test_every_health_alert_is_in_the_runbook_and_every_one_there_exists() -> None:
    assert sorted(first_words(section(document("runbook.md"), "## Health alerts"))) == sorted(ADVICE)


def test_every_code_of_the_feed_that_the_code_knows_is_in_the_runbook() -> None:
    known = {code for path in CODE for code in re.findall(r"AF\d{3,5}", path.read_text(encoding="utf-8"))}

    assert known <= set(first_words(section(document("runbook.md"), "## Error codes of the feed")))


def a_notification(number: int) -> Notification:
    return Notification(
        id=f"n{number}",
        about="contained",
        severity=Severity.CRITICAL,
        title="Contained: alex@contoso.com",
        text="Sign-in blocked.",
        target=ACCOUNT,
        facts={"actor": ["mallory@contoso.com"]},
        left_to_do=("Investigate the actor: mallory@contoso.com",),
        created_at=NOW,
    )


async def sent(count: int, *, clock: datetime = NOW, secret: str = "whsec_c2VjcmV0") -> httpx.Request:
    """What a receiver gets for so many notifications."""
    got: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(204)

    async with httpx.AsyncClient(transport=httpx.MockTransport(receive)) as http:
        notifier = WebhookNotifier(http, "https://receiver.example/hook", secret, clock=lambda: clock)
        await notifier.send([a_notification(number) for number in range(count)])
    return got[0]


@pytest.mark.parametrize("secret", ["whsec_c2VjcmV0", "a text of your own"])
async def test_the_example_of_the_docs_takes_a_real_notification_and_no_changed_one(secret: str) -> None:
    code = re.findall(r"```python\n(.*?)```", document("notifications.md"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the documents are ours
    request = await sent(1, clock=datetime.now(UTC), secret=secret)
    headers = {name.lower(): value for name, value in request.headers.items()}

    assert names["is_genuine"](headers, request.content, secret)
    assert not names["is_genuine"](headers, request.content + b" ", secret)
    assert not names["is_genuine"](headers | {"webhook-timestamp": "1700000000"}, request.content, secret)


# ---- schemas ---------------------------------------------------------------------------------------------------------

GENERATOR: dict[str, Any] = runpy.run_path(str(DOCS / "schemas" / "generate.py"))


@pytest.mark.parametrize("name", GENERATOR["schemas"]())
def test_a_schema_is_what_the_models_give(name: str) -> None:
    assert document(f"schemas/{name}") == GENERATOR["as_text"](GENERATOR["schemas"]()[name])


def test_no_other_schema_is_there() -> None:
    assert {path.name for path in (DOCS / "schemas").glob("*.json")} == GENERATOR["schemas"]().keys()


def check(name: str, text: str | bytes) -> None:
    jsonschema.validate(json.loads(text), json.loads(document(f"schemas/{name}")))


@pytest.mark.parametrize("count", [1, 2])
async def test_a_notification_as_sent_fits_its_schema(count: int) -> None:
    check("notification.schema.json", (await sent(count)).content)


def test_the_example_of_a_notification_fits_its_schema() -> None:
    check("notification.schema.json", re.findall(r"```json\n(.*?)```", document("notifications.md"), re.DOTALL)[1])


def test_the_example_of_the_receivers_is_valid() -> None:
    found = receivers_of(re.findall(r"```json\n(.*?)```", document("notifications.md"), re.DOTALL)[0])

    assert {each.kind for each in found} == set(ReceiverKind)


@pytest.mark.parametrize("count", [1, 2])
async def test_the_relay_of_the_docs_takes_real_notifications(count: int) -> None:
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", document("notifications.md"), re.DOTALL)[1], names)  # noqa: S102 - ours
    events = names["pagerduty_events"](json.loads((await sent(count)).content), "key")

    assert [(each["event_action"], each["dedup_key"]) for each in events] == [
        ("trigger", f"n{number}") for number in range(count)
    ]


def test_each_link_of_a_notification_leads_to_an_anchor_of_the_runbook() -> None:
    notifications = {f"notification-{about}" for about in ABOUTS}

    there = set(re.findall(r'<a id="([a-z_-]+)">', document("runbook.md")))

    assert there == notifications | {f"alert-{alert}" for alert in ADVICE}


def test_a_command_as_sent_fits_its_schema() -> None:
    command = ExchangeCommand(
        command_id="c1",
        kind=CommandKind.DISABLE_BYPASS,
        tenant_id=TENANT,
        target=ACCOUNT,
        object_id=ACCOUNT,
        not_after=NOW,
    )

    check("exchange-command.schema.json", command.model_dump_json())


def test_an_answer_fits_its_schema() -> None:
    answer = ExchangeResult(
        command_id="c1",
        kind=CommandKind.DISABLE_BYPASS,
        tenant_id=TENANT,
        target=ACCOUNT,
        outcome=ExchangeOutcome.VERIFIED,
        resolved=ExchangeObject(object_id=ACCOUNT, exchange_guid=TENANT, name="alex"),
        after=False,
    )

    check("exchange-result.schema.json", answer.model_dump_json())


# ---- flow and storage ------------------------------------------------------------------------------------------------


def test_the_decision_table_has_every_verdict_in_the_order_in_which_they_apply() -> None:
    named = first_words(section(document("flow.md"), "## The decision"))

    assert list(dict.fromkeys(named)) == [verdict.value for verdict in Verdict]


def test_the_flow_explains_every_state_effect_and_status() -> None:
    named = first_words(section(document("flow.md"), "## 4. The plan is stored, then the steps"))

    assert sorted(named) == sorted(word.value for kind in (StepState, Effect, IncidentStatus) for word in kind)


def test_every_kind_of_row_is_documented() -> None:
    table = rows(section(document("storage.md"), "## Ledger"))

    assert {words(cells[1])[0] for cells in table} == {*ROWS, "log"}


def test_every_table_and_container_is_documented() -> None:
    text = document("storage.md")

    assert {name for name in (*TABLES, *CONTAINERS) if not re.search(rf"\b{name}\b", text)} == set()


def test_every_column_of_the_allowlist_is_documented() -> None:
    source = (ROOT / "src/bypass_responder/adapters/allowlist_table.py").read_text(encoding="utf-8")
    columns = re.search(r"Columns: (.*?);", source, re.DOTALL)
    assert columns
    named = set(re.findall(r"[A-Z]\w+", columns[1]))

    assert set(first_words(section(document("storage.md"), "## Allowlist"))) & named == named


def test_every_rule_of_the_simulation_is_documented() -> None:
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "simulation").glob("*.py")]
    rules = {rule for text in code for rule in re.findall(r'"([a-z_]+): ', text)}

    assert set(first_words(section(document("simulation.md"), "## What is checked at the end"))) == rules


# ---- permissions -----------------------------------------------------------------------------------------------------


def permissions_in_docstrings() -> set[str]:
    """Every right that a docstring names after the word Permission or Permissions."""
    found: set[str] = set()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for tree in TREES.values():
        for node in (node for node in ast.walk(tree) if isinstance(node, documented)):
            for said in re.findall(r"Permissions?\b.*?(?:\.\s|\.\Z|\Z)", ast.get_docstring(node) or "", re.DOTALL):
                found |= set(re.findall(r"\b[A-Z][\w-]+(?:\.[A-Z]\w+)+|Storage \w+ Data (?:Message )?\w+", said))
    return found


def test_every_permission_that_a_docstring_names_is_documented_for_the_responder_and_no_other() -> None:
    text = section(document("permissions.md"), "## The responder")
    documented = {name for cells in rows(text) for name in re.findall(r"^`?([A-Z][\w. -]+?)`?$", cells[0])}

    assert documented == permissions_in_docstrings()


# ---- every document --------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_of_a_document_leads_somewhere(path: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_make_target_that_a_document_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    there = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = [part for path in DOCUMENTS for part in re.findall(r"^make .*|`make [^`]*`", path.read_text(), re.MULTILINE)]
    named = {target for part in code for target in re.findall(r"make ([a-z][a-z-]*)", part)}

    assert {"demo", "test"} <= named <= there


def reached_from(start: Path) -> set[Path]:
    """Every document that links lead to."""
    reached, waiting = set[Path](), [start]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        links = re.findall(r"\]\(([^)#\s:]+)", path.read_text(encoding="utf-8"))
        waiting += [(path.parent / link).resolve() for link in links]

    return reached


def test_every_document_is_reached_from_the_readme() -> None:
    assert set(DOCUMENTS) - reached_from(ROOT / "README.md") == set()


def test_every_document_in_docs_is_reached_from_the_index_by_reader() -> None:
    """Each page is on the index itself; a page of a folder is on the page of its folder."""
    index = DOCS / "README.md"
    linked = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#\s:]+)", index.read_text(encoding="utf-8"))}

    assert set(DOCS.glob("*.md")) - {index} - linked == set()
    assert set(DOCS.rglob("*.md")) - reached_from(index) == set()

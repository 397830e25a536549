"""``bypassctl posture``: offline, from exported files."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bypass_responder.cli.posture import app
from bypass_responder.posture.plan import Plan
from tests.posture.exports.files import ALEX, BYPASSES, SWITCHES, as_csv
from tests.posture.mailboxes import object_id

PINNED = ALEX | {
    "DefaultAuditSet": [],
    "UserPrincipalName": "kim@contoso.com",
    "ExternalDirectoryObjectId": object_id(2),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the exports of a tenant whose one mailbox has the default set."""
    for name, content in (("mailboxes", [ALEX]), ("bypass", BYPASSES[:1]), ("organization", SWITCHES)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def exports(folder: Path) -> list[str]:
    return [str(folder / f"{name}.json") for name in ("mailboxes", "bypass", "organization")]


def with_mailboxes(folder: Path, *rows: dict[str, Any]) -> list[str]:
    (folder / "mailboxes.json").write_text(json.dumps(rows), encoding="utf-8")
    return exports(folder)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"WATCHED_MAILBOXES": ""})


def test_a_complete_export_with_nothing_to_fix_is_clean(folder: Path) -> None:
    result = run("compare", *exports(folder))

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Clean: 1 mailbox records")


def test_something_to_fix_ends_with_1(folder: Path) -> None:
    result = run("compare", *with_mailboxes(folder, PINNED))

    assert result.exit_code == 1
    assert "kim@contoso.com" in result.stdout


@pytest.mark.parametrize("form", ["table", "csv", "json", "html"])
def test_a_partial_export_is_named_in_every_form_and_ends_with_1(folder: Path, form: str) -> None:
    result = run("compare", folder / "mailboxes.json", "-o", form)

    assert result.exit_code == 1
    assert "bypassed accounts were not read" in result.stdout


def test_a_file_is_written_and_the_state_goes_to_standard_error(folder: Path) -> None:
    result = run("compare", *exports(folder), "-o", "csv", "-f", folder / "out.csv")
    [row] = csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf-8-sig"), newline=""))

    assert result.stdout == ""
    assert result.stderr.startswith("Clean")
    assert row["User Principal Name"] == "alex@contoso.com"


def test_what_has_changed_since_an_earlier_export_is_shown(folder: Path) -> None:
    (folder / "before.csv").write_bytes(as_csv(ALEX | {"AuditLogAgeLimit": "365.00:00:00"}))
    result = run("compare", *exports(folder), "--before", folder / "before.csv", "-o", "json")
    [mailbox] = json.loads(result.stdout)["mailboxes"]

    change = {"property": "AuditLogAgeLimit", "change": "365.00:00:00 → 90.00:00:00", "by": None}
    assert mailbox["changed"] == [change]


def test_an_earlier_export_without_mailboxes_is_refused(folder: Path) -> None:
    result = run("compare", *exports(folder), "--before", folder / "organization.json")

    assert (result.exit_code, "--before has no mailboxes" in result.stderr) == (2, True)


def test_an_earlier_export_that_is_partial_is_named(folder: Path) -> None:
    (folder / "before.json").write_text(json.dumps([ALEX | {"AuditLogAgeLimit": "soon"}]), encoding="utf-8")
    result = run("compare", *exports(folder), "--before", folder / "before.json")

    assert "the earlier export is partial" in result.stderr


def test_watched_mailboxes_come_first(folder: Path) -> None:
    other = ALEX | {"ExternalDirectoryObjectId": object_id(0)}
    result = run("compare", *with_mailboxes(folder, other, ALEX), "--watched", object_id(1), "-o", "json")

    assert [each["object_id"] for each in json.loads(result.stdout)["mailboxes"]] == [object_id(1), object_id(0)]


@pytest.mark.parametrize("command", ["compare", "plan"])
def test_a_filter_with_a_typo_ends_with_2(folder: Path, command: str) -> None:
    output = () if command == "compare" else ("-o", folder / "plan.json")
    result = run(command, *exports(folder), "--missing", "MailItemAccessed", *output)

    assert (result.exit_code, "Did you mean MailItemsAccessed?" in result.stderr) == (2, True)


def test_a_filter_and_an_unread_watched_mailbox_are_named_in_every_file(folder: Path) -> None:
    result = run("compare", *exports(folder), "--type", "UserMailbox", "--watched", "ceo@contoso.com", "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)["filter"]) == (1, "--type UserMailbox")
    assert "watched, not read: ceo@contoso.com" in result.stderr


@pytest.mark.parametrize("limit", ["30 days", {"Ticks": "none"}, None])
def test_an_age_limit_that_was_not_read_is_not_clean(folder: Path, limit: Any) -> None:
    result = run("compare", *with_mailboxes(folder, ALEX | {"AuditLogAgeLimit": limit}))

    assert result.exit_code == 1


def test_a_filter_leaves_the_rest_out(folder: Path) -> None:
    result = run("compare", *with_mailboxes(folder, ALEX, PINNED), "--pinned", "-o", "json")

    assert [each["user_principal_name"] for each in json.loads(result.stdout)["mailboxes"]] == ["kim@contoso.com"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no-such-file",), "cannot be read: No such file"),
        ((".",), "cannot be read"),
        (("{folder}/bad.json",), "bad.json: line 1 cannot be read"),
        (("{folder}/mailboxes.json", "--baseline", "nist"), "There is no baseline 'nist'"),
        (("{folder}/mailboxes.json", "--column", "x"), "'x' is not HEADER=PROPERTY"),
        (("{folder}/mailboxes.json", "-f", "out.txt"), "A table is for the terminal"),
    ],
)
def test_a_wrong_argument_is_one_line_and_ends_with_2(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "bad.json").write_text("{", encoding="utf-8")
    result = run("compare", *(each.format(folder=folder) for each in arguments))

    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_cannot_be_written_ends_with_3(folder: Path) -> None:
    result = run("compare", *exports(folder), "-o", "html", "-f", folder / "no" / "such" / "folder.html")

    assert (result.exit_code, "cannot be written" in result.stderr) == (3, True)


def test_a_plan_is_a_file_that_changes_nothing(folder: Path) -> None:
    result = run("plan", *with_mailboxes(folder, ALEX, PINNED), "-o", folder / "plan.json")
    made = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8"))

    assert result.exit_code == 0, result.output
    assert [each.object_id for each in made.changes] == [object_id(2)]
    assert made.sha256 == made.digest()
    assert "1 change planned, 0 mailboxes skipped. Nothing was changed." in result.stdout


def test_actions_on_request_pin_and_it_says_so(folder: Path) -> None:
    result = run(
        "plan", *exports(folder), "-o", folder / "plan.json", "--action", "owner:MailboxLogin", "--age-limit", "180"
    )
    [only] = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8")).changes

    assert (only.change.owner, only.change.age_limit_days) == (("MailboxLogin",), 180)
    assert "1 logon type leaves Microsoft's default set" in result.stdout


def test_all_actions_on_request(folder: Path) -> None:
    run("plan", *exports(folder), "-o", folder / "plan.json", "--baseline", "possible")
    [only] = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8")).changes

    assert "RecordDelete" in only.change.admin


def test_the_age_limit_of_a_baseline_is_planned_with_its_actions(folder: Path) -> None:
    run("plan", *exports(folder), "-o", folder / "plan.json", "--baseline", "CIS")
    [only] = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8")).changes

    assert only.change.age_limit_days == 180


def test_a_plan_without_a_change_writes_no_file(folder: Path) -> None:
    result = run("plan", *exports(folder), "-o", folder / "plan.json", "--missing", "Copy")

    assert (result.exit_code, (folder / "plan.json").exists()) == (0, False)
    assert "No file was written. To add an action beyond Microsoft's set: --action Owner:Copy" in result.stdout


def test_what_no_plan_changes_is_named_first(folder: Path) -> None:
    off = SWITCHES | {"AuditDisabled": True}
    (folder / "organization.json").write_text(json.dumps(off), encoding="utf-8")
    result = run("plan", *exports(folder), "-o", folder / "plan.json", "--action", "Owner:MailboxLogin")

    assert result.stdout.startswith("No plan changes this: auditing is off for the organization")
    assert "Set-OrganizationConfig -AuditDisabled $false" in result.stdout


def test_our_own_file_is_no_export(folder: Path) -> None:
    run("plan", *with_mailboxes(folder, ALEX, PINNED), "-o", folder / "plan.json")

    result = run("compare", *exports(folder), folder / "plan.json")

    assert result.exit_code == 2
    assert "plan.json: it is not an Exchange export but a file of bypassctl" in result.stderr


def test_an_empty_file_says_how_it_gets_columns(folder: Path) -> None:
    (folder / "bypass.json").write_bytes(b"")

    result = run("compare", *exports(folder))

    assert (result.exit_code, "without Where-Object" in result.stderr) == (2, True)


def test_a_dash_is_the_terminal(folder: Path) -> None:
    result = run("compare", *exports(folder), "-o", "json", "-f", "-")

    assert json.loads(result.stdout)["format"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("Owner", "LOGON:ACTION"),
        ("Nobody:Update", "LOGON:ACTION"),
        ("", "LOGON:ACTION"),
        ("Owner:FolderBind", "Owner cannot record 'FolderBind'. It can record: "),
    ],
)
def test_an_action_that_cannot_be_audited_is_refused(folder: Path, action: str, words: str) -> None:
    result = run("plan", *exports(folder), "-o", folder / "plan.json", "--action", action)

    assert (result.exit_code, (folder / "plan.json").exists()) == (2, False)
    assert words in result.stderr


def test_the_letter_case_of_an_action_does_not_matter(folder: Path) -> None:
    run("plan", *exports(folder), "-o", folder / "plan.json", "--action", "OWNER:mailboxlogin")
    [only] = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8")).changes

    assert only.change.owner == ("MailboxLogin",)


def test_a_plan_is_never_written_over_another(folder: Path) -> None:
    (folder / "plan.json").write_text("kept", encoding="utf-8")
    result = run("plan", *exports(folder), "-o", folder / "plan.json")

    assert (result.exit_code, (folder / "plan.json").read_text(encoding="utf-8")) == (2, "kept")


def test_it_needs_no_client_of_a_service(folder: Path) -> None:
    code = (
        "import sys; from bypass_responder.cli.main import main\n"
        f"sys.argv = ['bypassctl', 'posture', 'compare', *{exports(folder)!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'azure', 'httpx', 'msgraph', 'aiohttp'}])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)

    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("age", ["26", "h", "1w", "-1h", "999999h"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    result = run("check", "--max-age", age)

    assert (result.exit_code, "26h" in result.stderr) == (2, True)


def test_an_export_is_never_written_over(folder: Path) -> None:
    before = (folder / "bypass.json").read_text(encoding="utf-8")
    result = run("compare", *exports(folder), "-o", "json", "-f", folder / "." / "bypass.json")

    assert (result.exit_code, "is one of the exports" in result.stderr) == (2, True)
    assert (folder / "bypass.json").read_text(encoding="utf-8") == before


@pytest.mark.parametrize("name", ["json", "-", "table"])
def test_a_format_is_no_file_of_a_plan(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere -o is a format."""
    monkeypatch.chdir(folder)
    result = run("plan", *with_mailboxes(folder, PINNED), "-o", name)

    assert (result.exit_code, Path(name).exists()) == (2, False)
    assert "such as plan.json" in result.stderr


@pytest.mark.parametrize(("row", "is_written"), [(ALEX, False), (PINNED, True)])
def test_a_plan_of_a_partial_read_ends_with_1(folder: Path, row: dict[str, Any], is_written: bool) -> None:
    [mailboxes, *_] = with_mailboxes(folder, row)
    result = run("plan", mailboxes, "-o", folder / "plan.json")

    assert (result.exit_code, (folder / "plan.json").exists()) == (1, is_written)
    assert "PARTIAL READ" in result.stdout

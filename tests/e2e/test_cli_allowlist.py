"""`bypassctl allowlist` on Azurite and the stand-in tenant: exit codes, JSON, and the table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.incident import PersonDecision
from sandbox.azurite import missing
from tests.e2e.conftest import Start
from tests.e2e.ctl import bypassctl
from tests.e2e.live import Live, waiting

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

SERVICE = "svc-archive@contoso.onmicrosoft.com"
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
OPTIONS = {
    "--reason-class": "archiving",
    "--reason": "journal archive",
    "--owner": "ops@contoso.onmicrosoft.com",
    "--ticket": "CHG-1042",
    "--expires": TOMORROW,
}


def flat(options: Mapping[str, str]) -> list[str]:
    return [word for option in options.items() for word in option]


async def rows(live: Live) -> list[AllowlistEntry]:
    """The valid entries, as the app reads them."""
    entries = [entry async for entry in live.responder.services.allowlist.entries()]
    return [entry for entry in entries if isinstance(entry, AllowlistEntry)]


@pytest.mark.parametrize("as_what", ["user_principal_name", "object_id"])
async def test_an_account_is_allowlisted_by_either_name(live: Live, as_what: str) -> None:
    account = live.account("svc-archive")
    said = await bypassctl(live.cli_env, "allowlist", "add", account[as_what], *flat(OPTIONS))
    [entry] = await rows(live)

    assert (said.code, account["object_id"] in said.out, SERVICE in said.out) == (0, True, True)
    assert (entry.object_id, entry.display_name) == (account["object_id"], SERVICE)
    assert (entry.justification, entry.owner, entry.ticket) == tuple(
        OPTIONS[name] for name in ("--reason", "--owner", "--ticket")
    )
    assert f"{entry.expires_at:%Y-%m-%dT%H:%M:%S}" == f"{TOMORROW}T23:59:59"
    assert entry.approved_by


@pytest.mark.slow
@pytest.mark.parametrize("missing_option", ["--reason", "--owner", "--ticket", "--expires"])
async def test_every_option_is_required(live: Live, missing_option: str) -> None:
    given = {name: value for name, value in OPTIONS.items() if name != missing_option}
    said = await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(given))

    assert (said.code, missing_option in said.err, await rows(live)) == (2, True, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--expires", "2020-01-31"),
        ("--expires", "9999-01-01"),
        ("--expires", "soon"),
        ("--reason", "  "),
        ("--owner", ""),
        ("--owner", "the archive team"),
        ("--owner", "ops@contoso"),
        ("--reason-class", "because"),
    ],
)
async def test_a_wrong_option_is_refused_and_named(live: Live, option: str, value: str) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(OPTIONS | {option: value}))

    assert (said.code, option in said.err, await rows(live)) == (2, True, [])


@pytest.mark.slow
async def test_an_entry_is_not_overwritten_and_the_difference_is_shown(live: Live) -> None:
    await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(OPTIONS))
    changed = {name: value for name, value in OPTIONS.items() if name != "--reason-class"}
    said = await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(changed))
    [entry] = await rows(live)

    assert (said.code, entry.reason_class) == (3, OPTIONS["--reason-class"])
    assert f"reason_class: {OPTIONS['--reason-class']} → other" in said.err


@pytest.mark.slow
async def test_an_entry_is_replaced_when_that_is_meant(live: Live) -> None:
    await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(OPTIONS))
    changed = OPTIONS | {"--ticket": "CHG-2000"}
    said = await bypassctl(live.cli_env, "allowlist", "add", SERVICE, "--replace", *flat(changed))
    [entry] = await rows(live)

    assert (said.code, entry.ticket, "ticket: CHG-1042 → CHG-2000" in said.out) == (0, "CHG-2000", True)


async def test_an_entry_is_approved_by_a_decision(start: Start) -> None:
    live = await start(ALLOWLIST_APPROVAL="required")
    await live.first_start()
    await live.allowlist("svc-archive", ApprovedBy="editor@contoso.onmicrosoft.com")
    listed = await bypassctl(live.cli_env, "allowlist", "list")
    said = await waiting(live, "allowlist", "approve", SERVICE)
    [decision] = await live.rows(PersonDecision)

    assert (said.code, "CHG-1042" in said.out, "Carried out: approve" in said.out) == (0, True, True)
    assert (decision.verb, decision.outcome) == ("approve_entry", "carried_out")
    assert "not approved" in listed.out


@pytest.mark.slow
async def test_who_added_an_entry_does_not_approve_it(live: Live) -> None:
    await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(OPTIONS))
    said = await bypassctl(live.cli_env, "allowlist", "approve", SERVICE, "--reason", "mine", "--yes")

    assert (said.code, "Another person must approve it" in said.err) == (3, True)


@pytest.mark.slow
async def test_an_unknown_account_is_not_allowlisted(live: Live) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "add", "nobody@contoso.onmicrosoft.com", *flat(OPTIONS))

    assert (said.code, "nobody@contoso.onmicrosoft.com" in said.err, await rows(live)) == (3, True, [])


@pytest.mark.slow
async def test_the_list_shows_every_row_and_what_is_wrong_with_it(live: Live) -> None:
    await live.allowlist("svc-archive")
    await live.allowlist("alex", ExpiresAt="soon")
    await live.allowlist("adele", ExpiresAt=datetime.now(UTC) - timedelta(days=1))
    said = await bypassctl(live.cli_env, "allowlist", "list")
    states = {
        alias: state
        for alias, state in (("svc-archive", "valid"), ("alex", "MALFORMED: ExpiresAt"), ("adele", "expired"))
        if any(live.id_of(alias) in line and state in line for line in said.out.splitlines())
    }

    assert (said.code, set(states)) == (0, {"svc-archive", "alex", "adele"})


async def test_the_list_as_json_holds_both_kinds_of_rows(live: Live) -> None:
    await live.allowlist("svc-archive")
    await live.allowlist("alex", ExpiresAt="soon")
    said = await bypassctl(live.cli_env, "allowlist", "list", "--output", "json")
    found = {row["object_id"]: bool(row["problem"]) for row in said.json}

    assert found == {live.id_of("svc-archive"): False, live.id_of("alex"): True}


async def test_an_account_is_removed_by_its_name(live: Live) -> None:
    await live.allowlist("svc-archive")
    said = await bypassctl(live.cli_env, "allowlist", "remove", SERVICE, "--yes")

    assert (said.code, await rows(live)) == (0, [])


@pytest.mark.slow
async def test_a_deleted_account_is_removed_by_its_object_id(live: Live) -> None:
    await live.allowlist("svc-archive")
    object_id = live.id_of("svc-archive")
    live.client.delete(object_id)
    said = await bypassctl(live.cli_env, "allowlist", "remove", object_id, "--yes")

    assert (said.code, await rows(live)) == (0, [])


@pytest.mark.slow
async def test_removing_what_is_not_there_ends_with_3(live: Live) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "remove", SERVICE, "--yes")

    assert (said.code, SERVICE in said.err) == (3, True)


async def added(live: Live) -> str:
    """SERVICE is on the allowlist, a run has seen it, and the responder has its report."""
    await live.runs()
    await bypassctl(live.cli_env, "allowlist", "add", SERVICE, *flat(OPTIONS))
    await live.decisions()
    await live.runs()
    return live.id_of("svc-archive")


async def test_an_entry_is_changed_extended_and_undone(live: Live) -> None:
    object_id = await added(live)
    later = f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}"
    said = [await bypassctl(live.cli_env, "allowlist", "extend", SERVICE, "--expires", later)]
    await live.runs()
    said += [await bypassctl(live.cli_env, "allowlist", "set", object_id[:8], "--owner", "new@contoso.com")]
    await live.runs()
    said += [await bypassctl(live.cli_env, "allowlist", "undo", SERVICE, "--yes")]
    [entry] = await rows(live)

    assert [each.code for each in said] == [0, 0, 0]
    assert (entry.owner, f"{entry.expires_at:%Y-%m-%d}") == (OPTIONS["--owner"], later)


@pytest.mark.slow
async def test_a_removed_entry_is_restored(live: Live) -> None:
    await added(live)
    await bypassctl(live.cli_env, "allowlist", "remove", SERVICE, "--yes")
    await live.runs()
    said = await bypassctl(live.cli_env, "allowlist", "undo", SERVICE, "--yes")

    assert (said.code, len(await rows(live))) == (0, 1)


async def test_the_history_names_the_editor(live: Live) -> None:
    await added(live)
    said = await bypassctl(live.cli_env, "allowlist", "history", SERVICE, "-o", "json")

    assert [(line["what"], line["known"]) for line in said.json] == [("added", "claimed")]


@pytest.mark.slow
async def test_the_link_to_the_documentation_is_removed(live: Live) -> None:
    object_id = await added(live)
    for link in ("https://vendor.example/page", ""):
        await bypassctl(live.cli_env, "allowlist", "set", object_id, "--documentation", link)

    assert [row.documentation for row in await rows(live)] == [""]


@pytest.mark.slow
async def test_set_without_a_field_is_a_wrong_call(live: Live) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "set", SERVICE)

    assert (said.code, "give at least one" in said.err) == (2, True)


@pytest.mark.slow
async def test_a_dry_run_changes_nothing(live: Live) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "add", SERVICE, "--dry-run", *flat(OPTIONS))

    assert (said.code, "Nothing was changed" in said.out, await rows(live)) == (0, True, [])


async def test_an_entry_is_shown_reviewed_and_kept(live: Live) -> None:
    await live.allowlist("svc-archive")
    before = await bypassctl(live.cli_env, "allowlist", "review", "-o", "json")
    as_csv = await bypassctl(live.cli_env, "allowlist", "review", "-o", "csv")
    kept = await bypassctl(live.cli_env, "allowlist", "review", SERVICE, "--keep")
    after = await bypassctl(live.cli_env, "allowlist", "review")
    shown = await bypassctl(live.cli_env, "allowlist", "show", SERVICE)

    assert (before.code, before.json[0]["why"], kept.code, after.code) == (1, "never reviewed", 0, 0)
    [row] = csv.DictReader(as_csv.out.splitlines())
    assert (row["object_id"], row["why"], "entry" in row) == (live.id_of("svc-archive"), "never reviewed", False)
    assert "behaves like a person  not checked" in shown.out


async def test_what_would_happen_is_explained(live: Live) -> None:
    said = await bypassctl(live.cli_env, "allowlist", "explain", SERVICE, "-o", "json")

    assert (said.code, said.json["verdict"]) == (0, "violation")


async def test_an_export_is_imported_after_it_was_confirmed(live: Live, tmp_path: Path) -> None:
    await added(live)
    file = tmp_path / "allowlist.csv"
    await bypassctl(live.cli_env, "allowlist", "export", "-f", str(file))
    same = await bypassctl(live.cli_env, "allowlist", "import", str(file))
    file.write_bytes(file.read_bytes().replace(b"CHG-1042", b"CHG-2000"))
    plan = await bypassctl(live.cli_env, "allowlist", "import", str(file), "--dry-run", "-o", "json")
    asked = await bypassctl(live.cli_env, "allowlist", "import", str(file))
    said = await bypassctl(live.cli_env, "allowlist", "import", str(file), "--confirm", plan.json["plan_id"])
    [entry] = await rows(live)

    assert (same.code, "1 same" in same.out) == (0, True)
    assert (asked.code, f"--confirm {plan.json['plan_id']}" in asked.err) == (2, True)
    assert (said.code, entry.ticket) == (0, "CHG-2000")


@pytest.mark.slow
async def test_a_file_with_a_rejected_row_is_not_imported(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "allowlist.csv"
    cells = f"{live.id_of('svc-archive')},archiving,journal,ops@contoso.com,CHG-1,{TOMORROW}"
    file.write_text(f"object_id,reason_class,justification,owner,ticket,expires\n{cells}\nx,,,,,\n", encoding="utf-8")
    said = await bypassctl(live.cli_env, "allowlist", "import", str(file), "--confirm", "0" * 12)

    assert (said.code, await rows(live)) == (3, [])

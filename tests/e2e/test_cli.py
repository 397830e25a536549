"""`bypassctl` on Azurite and the stand-in tenant: exit codes, JSON, and nothing raw from a record on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bypass_responder.cli import send_decision
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.incident import PersonDecision
from sandbox.azurite import missing
from sandbox.child import ROOT, leashed
from tests.e2e.conftest import Start
from tests.e2e.ctl import Said, bypassctl, bypassctl_program
from tests.e2e.live import Live

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
EVIL = "\x1b]0;owned\x07\x1b[2J\u202e[red]evil[/red]@contoso.onmicrosoft.com"
RAW = ("\x1b]0;", "\x07", "\x1b[2J", "\u202e")


def flat(options: Mapping[str, str]) -> list[str]:
    return [word for option in options.items() for word in option]


async def rows(live: Live) -> list[AllowlistEntry]:
    """The valid entries, as the app reads them."""
    entries = [entry async for entry in live.responder.services.allowlist.entries()]
    return [entry for entry in entries if isinstance(entry, AllowlistEntry)]


@pytest.fixture
async def held(start: Start) -> Live:
    """Over the limit: alex is revoked and restored, and the block waits for a person."""
    live = await start(CONTAINMENT_LIMIT_PER_HOUR="0")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()
    return live


# ---- allowlist --------------------------------------------------------------------------------------------------


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
    kept = await bypassctl(live.cli_env, "allowlist", "review", SERVICE, "--keep")
    after = await bypassctl(live.cli_env, "allowlist", "review")
    shown = await bypassctl(live.cli_env, "allowlist", "show", SERVICE)

    assert (before.code, before.json[0]["why"], kept.code, after.code) == (1, "never reviewed", 0, 0)
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


# ---- incidents --------------------------------------------------------------------------------------------------


async def test_the_list_of_incidents_names_account_actor_and_reason(held: Live) -> None:
    said = await bypassctl(held.cli_env, "incidents", "list", "--output", "json")
    [line] = said.json

    assert (said.code, line["status"], line["account"]) == (0, "held", "alex@contoso.onmicrosoft.com")
    assert "mallory@contoso.onmicrosoft.com" in line["actor"]
    assert line["reason"].startswith("limit_reached")


@pytest.mark.slow
async def test_all_lists_what_opened_no_incident_too(live: Live) -> None:
    live.attack("failed", target="diego")
    await live.runs()
    without = await bypassctl(live.cli_env, "incidents", "list", "--output", "json")
    everything = await bypassctl(live.cli_env, "incidents", "list", "--findings", "--output", "json")

    assert (without.json, [line["kind"] for line in everything.json]) == ([], ["attempt"])


@pytest.mark.slow
async def test_what_opened_no_incident_is_shown_by_the_id_that_the_list_gives(live: Live) -> None:
    live.attack("failed", target="diego")
    await live.runs()
    [line] = (await bypassctl(live.cli_env, "incidents", "list", "--findings", "--output", "json")).json
    said = await bypassctl(live.cli_env, "incidents", "show", line["id"])
    twin = await bypassctl(live.cli_env, "incidents", "show", line["id"], "--output", "json")

    assert (said.code, "opened no incident" in said.out, line["reason"] in said.out) == (0, True, True)
    assert (twin.json["entry"], twin.json["evidence"]["id"]) == (line, line["id"])


@pytest.mark.slow
async def test_nothing_can_be_decided_about_what_opened_no_incident(live: Live) -> None:
    live.attack("failed", target="diego")
    await live.runs()
    [line] = (await bypassctl(live.cli_env, "incidents", "list", "--findings", "--output", "json")).json
    said = await bypassctl(live.cli_env, "incidents", "approve", line["id"], "--reason", "CHG-7")

    assert (said.code, "opened no incident" in said.err) == (3, True)


@pytest.mark.slow
async def test_an_incident_is_shown_by_the_beginning_of_its_id(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "show", incident.id[:-3], "--output", "json")

    assert (said.code, said.json["id"], said.json["situation"]) == (0, incident.id, "held")
    assert {each["control"]: each["state"] for each in said.json["controls"]}["block_sign_in"] == "held"
    assert said.json["left_to_do"]


@pytest.mark.slow
async def test_an_incident_for_people_ends_with_what_is_left_to_do(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "show", incident.id)

    assert (said.code, incident.id in said.out, "blind window" in said.out) == (0, True, True)
    assert said.out.splitlines()[-1].startswith("- ")


async def test_an_incident_has_its_time_line_in_both_formats(held: Live) -> None:
    incident = await held.incident()
    table = await bypassctl(held.cli_env, "incidents", "show", incident.id)
    twin = (await bypassctl(held.cli_env, "incidents", "show", incident.id, "--output", "json")).json
    kinds = [row["kind"] for row in twin["timeline"]]
    reported = [row["source"] for row in twin["timeline"] if row["reported_at"]]

    assert ("Timeline" in table.out, kinds[0], set(reported), "action" in kinds) == (True, "happened", {"feed"}, True)


@pytest.mark.slow
async def test_an_incident_for_a_ticket_has_twelve_lines(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "show", incident.id, "--ticket")

    assert (said.code, len(said.out.splitlines())) == (0, 12)


@pytest.mark.slow
async def test_an_incident_is_shown_by_the_name_of_its_account(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "show", str(incident.names[-1]), "-o", "json")

    assert (said.code, said.json["id"]) == (0, incident.id)


@pytest.mark.slow
async def test_an_incident_is_shown_when_its_log_cannot_be_read(held: Live) -> None:
    held.tampered = True
    incident = await held.incident()
    key = {"PartitionKey": f"{held.env['TENANT_ID']}_{held.id_of('alex')}", "RowKey": "log-0000000001"}
    async with held.ledger as table:
        await table.upsert_entity(key | {"Kind": "log", "Body": "not JSON"})
    said = await bypassctl(held.cli_env, "incidents", "show", incident.id)

    assert (said.code, incident.id in said.out, "run bypassctl log verify" in said.out) == (0, True, True)


@pytest.mark.slow
async def test_flapping_is_said_before_anything_else(live: Live) -> None:
    for _ in range(2):
        live.attack("bypass", target="alex")
        await live.runs()
    listed = await bypassctl(live.cli_env, "incidents", "list", "--output", "json")
    said = await bypassctl(live.cli_env, "incidents", "show", listed.json[0]["id"])

    assert said.out.startswith("FLAPPING: ")


@pytest.mark.slow
async def test_an_incident_that_is_not_there_ends_with_3(held: Live) -> None:
    said = await bypassctl(held.cli_env, "incidents", "show", "20990101-00000000")

    assert (said.code, said.out) == (3, "")


async def decided(live: Live, verb: str, *options: str) -> Said:
    """The person runs bypassctl, and the host hands the decision to the responder while it waits."""
    incident = await live.incident()
    return await waiting(live, "incidents", verb, incident.id, *options)


async def waiting(live: Live, *command: str) -> Said:
    """The same for any command that decides."""
    running = asyncio.create_task(bypassctl(live.cli_env, *command, "--reason", "CHG-7", "--yes", "--wait"))
    for _ in range(600):
        if await live.decisions() or running.done():
            break
        await asyncio.sleep(0.1)
    return await running


@pytest.mark.slow
async def test_approve_only_sends_the_decision(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "approve", incident.id, "--reason", "CHG-7", "--yes")

    assert (said.code, held.account("alex")["account_enabled"]) == (0, True)
    assert "Sent: approve" in said.out
    assert await held.rows(PersonDecision) == []


async def test_the_responder_carries_out_what_was_sent(held: Live) -> None:
    said = await decided(held, "approve")
    [decision] = await held.rows(PersonDecision)

    assert (said.code, held.account("alex")["account_enabled"]) == (0, False)
    assert "Carried out: approve" in said.out
    assert (decision.verb, decision.reason, decision.outcome) == ("approve", "CHG-7", "carried_out")


@pytest.mark.slow
async def test_the_account_is_shown_before_the_decision(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "approve", incident.id, "--reason", "CHG-7")

    assert (said.code, "run again with --yes" in said.err) == (2, True)
    assert "sign-in           enabled, as of" in said.out
    assert "bypass            off, as of" in said.out
    assert f"active incidents  {incident.id}" in said.out


@pytest.mark.slow
async def test_incidents_are_listed_by_status_account_and_time(held: Live) -> None:
    async def listed(*options: str) -> int:
        return len((await bypassctl(held.cli_env, "incidents", "list", *options, "-o", "json")).json)

    assert await listed("--status", "held", "--account", "alex@contoso.onmicrosoft.com", "--since", "1d") == 1
    assert await listed("--actor", "mallory") == 1
    assert [await listed(*none) for none in (("--status", "open"), ("--account", "adele"), ("--until", "1d"))] == [
        0
    ] * 3


@pytest.mark.slow
async def test_a_list_that_goes_on_says_how(held: Live) -> None:
    held.attack("bypass", target="adele")
    await held.runs()
    first = await bypassctl(held.cli_env, "incidents", "list", "--limit", "1", "-o", "json")
    everything = await bypassctl(held.cli_env, "incidents", "list", "--limit", "1", "--all", "-o", "json")

    assert (len(first.json), first.err) == (1, "1 of 2, --all for more\n")
    assert (len(everything.json), everything.err) == (2, "")


@pytest.mark.slow
async def test_an_incident_is_meant_by_its_accounts_name(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "dismiss", incident.names[-1], "--reason", "CHG-7", "--dry-run")

    assert (said.code, incident.id in said.out) == (0, True)


@pytest.mark.slow
async def test_watch_prints_each_change_of_a_status(held: Live) -> None:
    incident = await held.incident()
    command = [sys.executable, "-m", "bypass_responder.cli", "incidents", "watch", "--interval", "1", "-o", "json"]
    environment = {"PYTHONPATH": str(ROOT / "src"), "HOME": "/nonexistent"} | dict(held.cli_env)
    watching = await asyncio.create_subprocess_exec(
        *leashed(command), stdout=subprocess.PIPE, cwd=ROOT, env=environment
    )
    assert watching.stdout
    first = await watching.stdout.readline()
    await waiting(held, "incidents", "dismiss", incident.id)
    second = await watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    code = await watching.wait()

    assert [json.loads(line)["status"] for line in (first, second)] == ["held", "dismissed"]
    assert code == 130


@pytest.mark.slow
async def test_ids_are_completed(held: Live) -> None:
    incident = await held.incident()
    line = f"bypassctl incidents show {incident.id[:6]}"
    env = held.cli_env | {"_BYPASSCTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "3"}
    said = await asyncio.to_thread(bypassctl_program, env)

    assert said.out.split() == [incident.id]


@pytest.mark.slow
async def test_a_dry_run_sends_nothing(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "approve", incident.id, "--reason", "CHG-7", "--dry-run")

    assert (said.code, await held.decisions()) == (0, 0)
    assert said.out.splitlines()[-1] == "Dry run: nothing was sent."


@pytest.mark.slow
async def test_several_incidents_are_decided_at_once(held: Live) -> None:
    held.attack("bypass", target="adele")
    await held.runs()
    listed = (await bypassctl(held.cli_env, "incidents", "list", "-o", "json")).json
    running = asyncio.create_task(
        bypassctl(
            held.cli_env, "incidents", "dismiss", *(it["id"] for it in listed), "--reason", "CHG-7", "--yes", "--wait"
        )
    )
    while not running.done():
        await held.decisions()
        await asyncio.sleep(0.1)
    said = await running
    decisions = await held.rows(PersonDecision)

    assert (len(listed), len(decisions)) == (2, 2)
    assert [f"Carried out: dismiss {line['id']}." in said.out for line in listed] == [True, True]


@pytest.mark.slow
async def test_if_one_of_several_cannot_be_decided_none_is(held: Live) -> None:
    incident = await held.incident()
    ids = (incident.id, "20990101-00000000")
    said = await bypassctl(held.cli_env, "incidents", "dismiss", *ids, "--reason", "CHG-7", "--yes")

    assert (said.code, said.err.count("\n"), await held.decisions()) == (3, 1, 0)
    assert said.err.startswith("20990101-00000000: ")


@pytest.mark.slow
async def test_one_account_is_named_for_one_incident(held: Live) -> None:
    said = await bypassctl(held.cli_env, "incidents", "approve", "a", "b", "--reason", "x", "--account", "alex")

    assert (said.code, "Name one incident." in said.err) == (2, True)


@pytest.mark.slow
async def test_waiting_in_vain_ends_with_3(held: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_decision, "WAIT_SECONDS", 1.0)
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "approve", incident.id, "--reason", "CHG-7", "--yes", "--wait")

    assert (said.code, "Not carried out yet. The responder last ran at" in said.err) == (3, True)


async def test_release_gives_the_account_back(live: Live) -> None:
    live.attack("bypass", target="alex")
    await live.runs()
    said = await decided(live, "release")

    assert (said.code, live.account("alex")["account_enabled"]) == (0, True)
    assert live.account("alex")["audit_bypass_enabled"] is False


@pytest.mark.slow
async def test_dismiss_drops_what_waits(held: Live) -> None:
    said = await decided(held, "dismiss")
    incident = await held.incident()

    assert (said.code, incident.status.value) == (0, "dismissed")
    assert held.account("alex")["account_enabled"] is True
    assert "the account can still sign in" in said.out
    again = await bypassctl(held.cli_env, "incidents", "approve", incident.id, "--reason", "no", "--yes")
    assert again.code == 3


@pytest.mark.slow
async def test_approve_is_refused_in_observe(start: Start) -> None:
    live = await start(MODE="observe")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()
    said = await decided(live, "approve")

    assert (said.code, "Refused: MODE is observe" in said.err) == (3, True)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["approve", "dismiss", "release"])
async def test_a_decision_without_a_reason_is_refused(held: Live, verb: str) -> None:
    incident = await held.incident()
    without = await bypassctl(held.cli_env, "incidents", verb, incident.id)
    empty = await bypassctl(held.cli_env, "incidents", verb, incident.id, "--reason", " ", "--yes")

    assert (without.code, empty.code, await held.rows(PersonDecision)) == (2, 2, [])


@pytest.mark.slow
async def test_nothing_to_release_ends_with_3(held: Live) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "release", incident.id, "--reason", "CHG-7", "--yes")

    assert (said.code, said.err.count("\n")) == (3, 1)


# ---- log and status ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["incident", "object id", "user principal name"])
async def test_the_log_is_found_by_each_name(held: Live, subject: str) -> None:
    names = {
        "incident": (await held.incident()).id,
        "object id": held.id_of("alex"),
        "user principal name": "alex@contoso.onmicrosoft.com",
    }
    said = await bypassctl(held.cli_env, "log", "show", names[subject], "--output", "json")

    assert (said.code, said.json[0]["event"], said.json[0]["target"]) == (0, "decided", held.id_of("alex"))


@pytest.mark.slow
async def test_the_log_of_nobody_ends_with_3(live: Live) -> None:
    said = await bypassctl(live.cli_env, "log", "show", "nobody@contoso.onmicrosoft.com")

    assert (said.code, said.err.count("\n")) == (3, 1)


async def test_a_whole_log_verifies_as_json(held: Live) -> None:
    said = await bypassctl(held.cli_env, "log", "verify", "--output", "json")

    assert (said.code, said.json["problems"], said.json["targets"]) == (0, [], 2)


async def test_status_ends_with_1_while_something_waits(held: Live) -> None:
    said = await bypassctl(held.cli_env, "status", "--output", "json")

    assert (said.code, said.json["mode"], [item["status"] for item in said.json["waiting"]]) == (1, "enforce", ["held"])


@pytest.mark.slow
async def test_status_says_observe_in_words(start: Start) -> None:
    live = await start(MODE="")
    await live.runs()
    said = await bypassctl(live.cli_env, "status")

    assert "observe: records decisions" in said.out


@pytest.mark.slow
async def test_status_ends_with_1_while_the_feed_was_never_polled(start: Start) -> None:
    live = await start()
    said = await bypassctl(live.cli_env, "status")

    assert (said.code, "never: no poll has succeeded yet" in said.out) == (1, True)


@pytest.mark.slow
async def test_status_says_that_nothing_is_known_while_no_sweep_was_complete(live: Live) -> None:
    said = await bypassctl(live.cli_env, "status")

    assert "UNKNOWN: no sweep was requested yet" in said.out


@pytest.mark.slow
async def test_status_of_a_responder_that_has_nothing_to_do_ends_with_0(live: Live) -> None:
    live.client.subscription("enabled")
    await live.runs()
    said = await bypassctl(live.cli_env, "status", "--output", "json")

    assert {name: said.json[name] for name in ("waiting", "alerts", "gaps", "pending_blobs", "unreadable")} == {
        "waiting": [],
        "alerts": [],
        "gaps": [],
        "pending_blobs": [],
        "unreadable": [],
    }
    assert said.code == 0


@pytest.mark.slow
async def test_bypassed_accounts_have_their_justification(live: Live) -> None:
    await live.allowlist("svc-archive")
    live.attack("bypass", target="svc-archive")
    await live.sweep()
    said = await bypassctl(live.cli_env, "accounts", "bypassed", "-o", "json")
    [account] = said.json

    assert (said.code, account["object_id"], account["ticket"]) == (0, live.id_of("svc-archive"), "CHG-1042")


@pytest.mark.slow
async def test_who_is_bypassed_is_unknown_before_a_sweep(live: Live) -> None:
    said = await bypassctl(live.cli_env, "accounts", "bypassed")

    assert (said.code, "UNKNOWN: no sweep was requested yet" in said.out) == (1, True)


# ---- hostile text -----------------------------------------------------------------------------------------------


@pytest.fixture
async def hostile(live: Live) -> Live:
    """The actor's name, and what an unreadable record says, are made to be shown on a terminal."""
    live.attack("bypass", target="alex", actor=EVIL)
    live.client.publish_raw(f'[{{"Operation":"Set-MailboxAuditBypassAssociation","{EVIL}":17}}]'.encode())
    live.client.publish([{"Operation": "Set-MailboxAuditBypassAssociation", "Id": EVIL, EVIL: EVIL}])
    await live.runs()
    return live


@pytest.mark.parametrize(
    "command",
    [("incidents", "list", "--findings"), ("incidents", "show"), ("log", "show"), ("status",)],
    ids=" ".join,
)
@pytest.mark.parametrize("output", ["table", "json"])
async def test_nothing_raw_from_a_record_reaches_the_output(
    hostile: Live, command: tuple[str, ...], output: str
) -> None:
    subject = [(await hostile.incident()).id] if "show" in command else []
    said = await bypassctl(hostile.cli_env, *command, *subject, "--output", output)

    assert [raw for raw in RAW if raw in said.out + said.err] == []
    assert said.code in {0, 1}


@pytest.mark.slow
async def test_markup_in_a_name_is_shown_and_not_obeyed(hostile: Live) -> None:
    incident = await hostile.incident()
    said = await bypassctl(hostile.cli_env, "incidents", "show", incident.id)

    assert "[red]evil[/red]" in said.out


@pytest.mark.slow
async def test_nothing_raw_reaches_a_terminal(hostile: Live) -> None:
    incident = await hostile.incident()
    shown = await asyncio.to_thread(on_a_terminal, hostile.cli_env, "incidents", "show", incident.id)

    assert (incident.id in shown, [raw for raw in RAW if raw in shown]) == (True, [])


def on_a_terminal(env: Mapping[str, str], *arguments: str) -> str:
    """What a terminal is sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bypass_responder.cli", *arguments]
    environment = {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color", "COLUMNS": "200"} | dict(env)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # the other end was closed: that is how a terminal ends
    process.wait(timeout=30)
    os.close(ours)
    return shown.decode(errors="replace")


@pytest.mark.slow
async def test_a_hostile_argument_is_shown_printable(live: Live) -> None:
    said = await asyncio.to_thread(bypassctl_program, live.cli_env, "incidents", "show", EVIL)

    assert (said.code, [raw for raw in RAW if raw in said.out + said.err]) == (3, [])

"""`bypassctl incidents` on Azurite and the stand-in tenant: what is shown, and decisions of people."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from bypass_responder.cli import send_decision
from bypass_responder.model.incident import PersonDecision
from sandbox.azurite import missing
from sandbox.child import ROOT, leashed
from tests.e2e.conftest import Start
from tests.e2e.ctl import Said, bypassctl, bypassctl_program
from tests.e2e.live import Live, waiting

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


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

"""`bypassctl posture apply` and `undo`, on Azurite and a stand-in tenant."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bypass_responder.model.notification import Notification
from sandbox.azurite import missing
from sandbox.tenant.identity import WORKER_SECRET, default_identities
from sandbox.tenant.mailbox import Mailbox
from tests.e2e.conftest import Start
from tests.e2e.ctl import Said, bypassctl
from tests.e2e.live import Live

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
WORKER = default_identities()[WORKER_SECRET].client_id
REASON = ("--reason", "CHG-7", "--yes")


def mailboxes(live: Live) -> dict[str, Mailbox]:
    return {key: each.mailbox.model_copy(deep=True) for key, each in live.tenant.accounts.items() if each.mailbox}


async def planned(live: Live, file: Path) -> None:
    """A plan from what the worker read: one mailbox is pinned, one has an empty list."""
    pinned = [account for account in live.tenant.accounts.values() if account.mailbox][:2]
    pinned[0].mailbox = Mailbox(actions={"Owner": ["Update", "HardDelete"]})
    pinned[1].mailbox = Mailbox(actions={"Admin": []}, age_limit="30.00:00:00")
    await live.responder.read_posture()
    while await live.reads():
        pass
    live.ahead += live.ahead.resolution * 60_000_000
    await live.responder.read_posture()
    said = await bypassctl(live.env, "posture", "plan", "-o", str(file), "--pinned", "--age-limit", "180")
    assert said.code == 0, said.err


async def carried_out(live: Live) -> None:
    await live.decisions()
    while await live.reads():
        pass


async def last_run(live: Live) -> dict[str, object]:
    said = await bypassctl(live.env, "posture", "applied", "-o", "json")
    run: dict[str, object] = said.json[0]
    return run


async def test_a_plan_is_carried_out_and_undone_with_bypassctl(live: Live, tmp_path: Path) -> None:
    await planned(live, tmp_path / "plan.json")
    before = mailboxes(live)
    said = await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)
    await carried_out(live)
    run, changed = await last_run(live), mailboxes(live)
    into = ("--undo-file", f"{tmp_path}/undo.json", "-o", "json")
    file = await bypassctl(live.env, "posture", "applied", str(run["id"]), *into)
    undone = await bypassctl(live.env, "posture", "undo", str(run["id"])[:8], *REASON)
    await carried_out(live)

    assert (said.code, file.code, undone.code) == (0, 0, 0), said.err + file.err + undone.err
    assert (run["state"], run["counts"]) == ("done", {"done": 2})
    assert file.json["progress"] == "2 of 2 mailboxes: 2 done"
    assert len([key for key in before if before[key] != changed[key]]) == 2
    entries = json.loads((tmp_path / "undo.json").read_text(encoding="utf-8"))["entries"]
    assert {each["object_id"] for each in entries} == {key for key in before if before[key] != changed[key]}
    assert "DefaultAuditSet -" in undone.out
    assert (await last_run(live))["undoes"] == run["id"]
    assert mailboxes(live) == before


async def refused(live: Live, *arguments: str) -> Said:
    said = await bypassctl(live.env, "posture", *arguments)
    await carried_out(live)
    return said


async def test_what_cannot_be_carried_out_is_refused_in_one_line(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    await planned(live, file)
    changed = tmp_path / "changed.json"
    changed.write_text(file.read_text(encoding="utf-8").replace("180", "179", 1), encoding="utf-8")
    before = mailboxes(live)
    found = [
        await refused(live, "apply", str(changed), *REASON),
        await refused(live, "apply", f"{tmp_path}/none.json", *REASON),
        await refused(live, "apply", str(file), "--reason", " ", "--yes"),
        await refused(live, "apply", str(file), "--reason", "x", "--dry-run"),
        await refused(live, "apply", str(file), "--reason", "x"),
        await refused(live, "undo", "1234", *REASON),
        await refused(live, "stop", "1234", "--reason", "x"),
        await refused(live, "applied", "--undo-file", f"{tmp_path}/undo.json"),
    ]

    assert [said.code for said in found] == [2, 2, 2, 0, 2, 3, 3, 2]
    assert "its hash differs" in found[0].err
    assert mailboxes(live) == before
    assert (await bypassctl(live.env, "posture", "applied", "-o", "json")).json == []
    assert (await bypassctl(live.env, "posture", "applied")).out.startswith("No plan was carried out yet.")


async def test_in_observe_a_plan_is_refused_by_the_responder(live: Live, tmp_path: Path) -> None:
    await planned(live, tmp_path / "plan.json")
    before = mailboxes(live)
    await live.deploy(MODE="observe")
    await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)
    await carried_out(live)

    assert mailboxes(live) == before
    assert (await bypassctl(live.env, "posture", "applied", "-o", "json")).json == []


async def test_a_plan_that_is_held_at_zero_is_shown_so(live: Live, tmp_path: Path) -> None:
    await live.deploy(POSTURE_CHANGES_PER_HOUR="0")
    await planned(live, tmp_path / "plan.json")
    await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)
    await carried_out(live)
    run = await last_run(live)
    said = [
        await bypassctl(live.env, "posture", "applied", str(run["id"])),
        await bypassctl(live.env, "posture", "applied"),
        await bypassctl(live.env, "status"),
    ]

    assert run["held"] == "POSTURE_CHANGES_PER_HOUR is 0"
    assert ["POSTURE_CHANGES_PER_HOUR" in each.out for each in said] == [True, True, True]
    assert "it continues with POSTURE_CHANGES_PER_HOUR above 0" in said[0].out


async def test_a_plan_that_was_carried_out_is_recognized_before_it_is_sent(live: Live, tmp_path: Path) -> None:
    await planned(live, tmp_path / "plan.json")
    await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)
    await carried_out(live)
    again = await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)

    assert (again.code, "--undo-file FILE" in again.err) == (3, True)


async def tampering(live: Live) -> list[str]:
    """What the feed has brought of Set-Mailbox, by the mailbox."""
    live.ahead += timedelta(seconds=1)
    await live.poll()
    return [each.title for each in await live.rows(Notification) if each.about == "tampering"]


async def test_the_feed_reports_no_plan_and_no_undo_as_tampering(start: Start, tmp_path: Path) -> None:
    """The records are those that the stand-in tenant writes of what the worker did."""
    live = await start(EXCHANGE_WORKER_IDS=WORKER)
    await live.first_start()
    await planned(live, tmp_path / "plan.json")
    await bypassctl(live.env, "posture", "apply", f"{tmp_path}/plan.json", *REASON)
    await carried_out(live)
    applied = await last_run(live)
    await bypassctl(live.env, "posture", "undo", str(applied["id"]), *REASON)
    await carried_out(live)
    by_plan = await tampering(live)
    guid = next(each.exchange_guid for each in live.tenant.accounts.values() if each.mailbox)
    await live.exchange.run("Set-Mailbox", Identity=guid, AuditOwner="None")

    assert (await last_run(live))["counts"] == {"done": 2}
    assert by_plan == []
    assert await tampering(live) == [f"A mailbox is audited less: {guid}"]

"""`bypassctl log`, `status` and `accounts` on Azurite and the stand-in tenant: exit codes and JSON."""

from __future__ import annotations

import pytest

from sandbox.azurite import missing
from tests.e2e.conftest import Start
from tests.e2e.ctl import bypassctl
from tests.e2e.live import Live

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


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
async def test_the_log_of_a_deleted_account_is_found_by_the_name_that_its_incident_has(held: Live) -> None:
    held.client.delete(held.id_of("alex"))
    said = await bypassctl(held.cli_env, "log", "show", "alex@contoso.onmicrosoft.com", "--output", "json")

    assert (said.code, said.json[0]["target"]) == (0, (await held.incident()).target)


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

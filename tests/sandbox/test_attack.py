"""Attacks change the tenant and leave the records that the real service would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.attack import help_lines, main, run
from sandbox.tenant.account import DOMAIN
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.scenarios import SCENARIOS, stage
from sandbox.tenant.state import Tenant

SET = "Set-MailboxAuditBypassAssociation"


def bypassed(tenant: Tenant) -> set[str]:
    return {a.user_principal_name.partition("@")[0] for a in tenant.accounts.values() if a.audit_bypass_enabled}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_delivers_its_records_among_others(tenant: Tenant, scenario: str) -> None:
    records = stage(tenant, scenario)["records"]

    blob = list(tenant.feed.blobs.values())[-1]
    delivered: list[dict[str, Any]] = json.loads(blob.body)
    assert [record for record in delivered if record in records] == records
    assert len(delivered) > len(records)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_says_what_it_is(scenario: str) -> None:
    assert help_lines()[scenario].count(".") >= 1


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("bypass", {"alex"}),
        ("service-account", {"svc-archive"}),
        ("failed", set()),
        ("switch-off", set()),
        ("on-then-off", set()),
        ("old-style", {"megan"}),
        ("mixed-case", {"patti"}),
        ("noise", set()),
    ],
)
def test_the_state_is_what_the_records_say(tenant: Tenant, scenario: str, expected: set[str]) -> None:
    stage(tenant, scenario)

    assert bypassed(tenant) == expected


def test_a_flood_is_more_than_the_hourly_limit_and_spares_the_attacker(tenant: Tenant) -> None:
    stage(tenant, "flood")

    assert len(bypassed(tenant)) > 5
    assert "mallory" not in bypassed(tenant)


def test_two_names_in_one_record_mean_two_accounts(tenant: Tenant) -> None:
    [record] = stage(tenant, "two-names", target="adele")["records"]

    identity = {p["Name"]: p["Value"] for p in record["Parameters"]}["Identity"]
    by_id, by_upn = tenant.find(record["ObjectId"]), tenant.find(identity)
    assert by_id
    assert by_upn
    assert by_id.object_id != by_upn.object_id
    assert by_upn.audit_bypass_enabled


def test_the_journal_distinguishes_attacks_from_responses(control: SandboxClient) -> None:
    control.attack("bypass")

    assert control.touched() == set()
    assert control.touched(by_others_than=()) == {control.account(f"alex@{DOMAIN}")["object_id"]}


def test_run_stages_it_in_a_tenant_over_http(url: str, tenant: Tenant) -> None:
    staged = run("bypass", url=url, target="diego", actor="eve@contoso.onmicrosoft.com")

    assert bypassed(tenant) == {"diego"}
    assert staged["records"][0]["UserId"] == "eve@contoso.onmicrosoft.com"


@pytest.mark.parametrize(("scenario", "target"), [("no-such-thing", None), ("bypass", "nobody")])
def test_a_wrong_request_says_what_is_wrong(url: str, scenario: str, target: str | None) -> None:
    with pytest.raises(ValueError, match=target or scenario):
        run(scenario, url=url, target=target)


def test_the_command_prints_what_it_staged(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bypass", "--url", url]) == 0

    assert json.loads(capsys.readouterr().out)["target"] == f"alex@{DOMAIN}"


def feed_of(tenant: Tenant) -> list[bytes]:
    now = datetime.now(UTC)
    listed = tenant.feed.listed("Audit.Exchange", start=now - timedelta(days=1), end=now + timedelta(days=1), as_of=now)
    return [blob.body for blob in listed]


@pytest.mark.parametrize("scenario", ["bypass", "bad-input"])
def test_the_records_of_an_attack_can_reach_the_feed_hours_later(tenant: Tenant, scenario: str) -> None:
    stage(tenant, scenario, feed_delay_seconds=3 * 3600)

    later = {round((blob.created - datetime.now(UTC)).total_seconds() / 3600) for blob in tenant.feed.blobs.values()}
    assert (bypassed(tenant), feed_of(tenant), later) == ({"alex"}, [], {3})


@pytest.mark.parametrize("scenario", ["bypass", "bad-input"])
def test_a_silent_attack_changes_the_tenant_and_leaves_no_record(tenant: Tenant, scenario: str) -> None:
    records = stage(tenant, scenario, silent=True)["records"]

    assert (bypassed(tenant), records, tenant.feed.blobs) == ({"alex"}, [], {})


def test_the_command_takes_both(url: str, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bypass", "--url", url, "--feed-delay-seconds", "60.5"])
    main(["bypass", "--url", url, "--target", "diego", "--silent"])

    assert (bypassed(tenant), len(tenant.feed.blobs), feed_of(tenant)) == ({"alex", "diego"}, 1, [])


def test_the_record_of_switching_ingestion_off_is_the_last_one(tenant: Tenant) -> None:
    [ran] = stage(tenant, "ingestion-off")["records"]
    stage(tenant, "bypass")
    stage(tenant, "bad-input")

    [blob] = feed_of(tenant)
    assert ran in json.loads(blob)


def test_records_reach_the_feed_again_once_ingestion_is_on_again(tenant: Tenant, control: SandboxClient) -> None:
    control.settings(unified_audit_log_ingestion_enabled=False)
    lost = control.publish([{"Id": "while it was off"}])
    control.settings(unified_audit_log_ingestion_enabled=True)
    control.publish([{"Id": "afterwards"}])

    assert (lost, [json.loads(body) for body in feed_of(tenant)]) == ([], [[{"Id": "afterwards"}]])


def test_the_command_names_an_account_that_is_not_there(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bypass", "--url", url, "--target", "nobody"]) == 2

    assert "nobody" in capsys.readouterr().err


def test_the_command_says_when_no_tenant_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bypass", "--url", "http://127.0.0.1:9"]) == 1

    assert "make serve" in capsys.readouterr().err


def test_many_ways_leave_the_tenant_weaker(tenant: Tenant) -> None:
    """Otherwise the daily reads would show that the attack undid itself."""
    stage(tenant, "many-ways")
    [mailbox] = [each.mailbox for each in tenant.accounts.values() if each.user_principal_name.startswith("alex@")]

    assert mailbox is not None
    assert (mailbox.age_limit, "MailItemsAccessed" in mailbox.audited("Owner")) == ("0.00:00:00", False)
    assert tenant.roles.members["Help desk tools"] == ["mallory"]

"""Bad input through the feed: kept or held, shown by `bypassctl status`, and never acted on.

It does not stop other input.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bypass_responder.model.incident_status import IncidentStatus
from sandbox.azurite import missing
from sandbox.tenant.account import made_up_guid
from sandbox.tenant.records import bypass_record
from tests.e2e.ctl import bypassctl, bypassctl_program, run_bypassctl
from tests.e2e.live import Live, all_of

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

Json = dict[str, Any]
MEGABYTES = 10 * 1024 * 1024
ADELE = "adele@contoso.onmicrosoft.com"


def with_fields(**fields: Any) -> Callable[[Json], bytes]:
    """The record with these fields; one that is None is left out."""
    return lambda record: json.dumps(
        [{name: value for name, value in (record | fields).items() if value is not None}]
    ).encode()


def replaced(old: str, new: str) -> Callable[[Json], bytes]:
    """The record's JSON with a piece of it replaced."""
    return lambda record: json.dumps([record]).replace(old, new, 1).encode()


UNREADABLE: dict[str, tuple[Callable[[Json], bytes], str]] = {
    "not JSON": (lambda _: b"Set-MailboxAuditBypassAssociation is not JSON", "not_json"),
    "no text": (lambda _: b"\x00\xff\xfeSet-MailboxAuditBypassAssociation\x00\xff", "not_json"),
    "cut off": (lambda record: json.dumps([record]).encode()[:-90], "not_json"),
    "no object": (lambda _: b'["Set-MailboxAuditBypassAssociation", 17, null]', ""),
    "Parameters a number": (with_fields(Parameters=17), "wrong_type"),
    "Parameters a word": (with_fields(Parameters="AuditBypassEnabled"), "wrong_type"),
    "Parameters a list of words": (with_fields(Parameters=["Identity", ADELE]), "wrong_type"),
    "ObjectId a number": (with_fields(ObjectId=17), "wrong_type"),
    "ObjectId an object": (with_fields(ObjectId={"is": "adele"}), "wrong_type"),
    "UserId a list": (with_fields(UserId=["mallory", ADELE]), "wrong_type"),
    "CreationTime a word": (with_fields(CreationTime="yesterday"), "wrong_type"),
    "no Id": (with_fields(Id=None), "missing_field"),
    "no CreationTime": (with_fields(CreationTime=None), "missing_field"),
    "no Operation": (with_fields(Operation=None), "missing_field"),
    "no target": (
        with_fields(ObjectId=None, Parameters=[{"Name": "AuditBypassEnabled", "Value": "True"}]),
        "no_target",
    ),
    "a NUL in a name": (with_fields(UserId="mall\0ory"), "nul_character"),
    "a NUL between the fields": (replaced('"Id":', '\0"Id":'), ""),
    "a value of 10 MB": (with_fields(ClientIP="1" * MEGABYTES), "too_large"),
    "nested deeply": (replaced('"Version": 1', f'"Version": {"[" * 50_000}{"]" * 50_000}'), ""),
    "a key twice": (replaced('"ObjectId":', '"ObjectId": "someone", "ObjectId":'), "duplicate_key"),
    "another tenant": (with_fields(OrganizationId=made_up_guid("another tenant")), "other_tenant"),
}
"""By what is wrong: the blob, made from a good record about Adele, and the word for it (empty: one of several)."""


@pytest.mark.parametrize(("blob", "reason"), UNREADABLE.values(), ids=UNREADABLE)
async def test_it_is_kept_and_shown_and_the_good_record_after_it_is_acted_on(
    live: Live, blob: Callable[[Json], bytes], reason: str
) -> None:
    adele = live.tenant.find(ADELE)
    assert adele
    live.client.publish_raw(blob(bypass_record(live.tenant.settings, adele, "mallory@contoso.onmicrosoft.com")))
    live.attack("bypass", target="alex")
    await live.runs()
    said = await bypassctl(live.cli_env, "status", "--output", "json")

    assert live.changed() == all_of("alex")
    assert any(reason in item["reason"] for item in said.json["unreadable"])
    assert "unreadable" in await live.notified()


async def test_a_bad_record_between_good_ones_of_the_same_blob_holds_up_neither(live: Live) -> None:
    settings = live.tenant.settings
    good = [live.bypassed("alex"), live.bypassed("patti")]
    live.tenant.feed.blobs.clear()
    adele = live.tenant.find(ADELE)
    assert adele
    bad = bypass_record(settings, adele, "mallory@contoso.onmicrosoft.com", Id=None)
    live.client.publish([good[0], 17, bad, None, "Set-MailboxAuditBypassAssociation", good[1]])
    await live.runs()

    assert live.changed() == all_of("alex") | all_of("patti")


async def test_the_unreadable_input_of_many_polls_is_reported_once(live: Live) -> None:
    live.client.publish_raw(b'[{"Operation":"Set-MailboxAuditBypassAssociation","Parameters":17}]', copies=1)
    for _ in range(3):
        await live.runs()
    notifications = [json.loads(kept["body"]) for kept in live.client.notifications()]

    assert len(notifications) == 1


async def test_an_identity_that_nobody_has_is_held_and_waits_for_a_person(live: Live) -> None:
    live.bypassed("adele", object_id=made_up_guid("nobody"), identity="nobody@contoso.onmicrosoft.com")
    live.attack("bypass", target="alex")
    await live.runs()
    said = await bypassctl(live.cli_env, "status", "--output", "json")
    waiting = [(item["account"], item["status"]) for item in said.json["waiting"]]

    assert (said.code, waiting) == (1, [("nobody@contoso.onmicrosoft.com", "held")])
    assert live.changed() == all_of("alex")


@pytest.mark.parametrize("length", [1_100, 100_000])
async def test_a_name_that_is_too_long_waits_for_a_person_and_holds_up_nobody(live: Live, length: int) -> None:
    live.bypassed("adele", on=False, object_id="x" * length, identity="x" * length)
    live.attack("bypass", target="alex")
    await live.runs()
    said = await bypassctl(live.cli_env, "status", "--output", "json")

    assert len(said.json["waiting"] + said.json["unreadable"]) == 1
    assert live.changed() == all_of("alex")


@pytest.mark.parametrize("column", ["ReasonClass", "Justification", "Owner", "Ticket", "ExpiresAt"])
async def test_a_row_without_one_of_its_columns_holds_the_containment(live: Live, column: str) -> None:
    await live.allowlist("svc-archive", **{column: None})
    live.bypassed("svc-archive")
    await live.runs()
    incident = await live.incident()

    assert (incident.status, incident.verdict, column in incident.reason) == (
        IncidentStatus.HELD,
        "allowlist_unclear",
        True,
    )
    assert live.account("svc-archive")["account_enabled"] is True
    assert live.account("svc-archive")["audit_bypass_enabled"] is False


WRONG = {
    "TENANT_ID": "contoso",
    "MODE": "on",
    "PROTECTED_OBJECT_IDS": "break-glass@contoso.onmicrosoft.com",
    "AUTOMATIC_CONTROLS": "block_sign_in, disable_everything",
    "CONTAINMENT_LIMIT_PER_HOUR": "many",
    "ACTOR_RESPONSE": "block",
    "FEED_SILENCE_HOURS": "0",
    "EXCHANGE_COMMANDS_QUEUE": "Exchange_Commands",
    "EXCHANGE_RESULTS_QUEUE": "-",
    "GRAPH_URL": "http://graph.example",
    "MANAGEMENT_API_URL": "manage.office.com",
    "PUBLISHER_IDENTIFIER": "me",
    "NOTIFICATION_WEBHOOK_URL": "ftp://example.org",
    "EXCHANGE_WORKER_IDS": "the worker",
    "AZURE_CLIENT_ID": "the app",
    "COMMAND_TIMEOUT_SECONDS": "1",
    "ResponderStorage": "AccountName=without a key",
}
"""By setting: a value that it refuses."""
RIGHT = {
    "TENANT_ID": made_up_guid("tenant"),
    "ResponderStorage": "UseDevelopmentStorage=true",
    "NOTIFICATION_WEBHOOK_SECRET": "secret",
}


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=WRONG)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str) -> None:
    said = run_bypassctl(RIGHT | {name: value}, "status")

    assert (said.code, said.out, said.err.count("\n"), name in said.err) == (3, "", 1, True)


def test_an_unknown_control_is_refused_with_the_list_of_controls() -> None:
    said = run_bypassctl(RIGHT | {"AUTOMATIC_CONTROLS": "block_sign_in, disable_everything"}, "status")

    assert "block_sign_in, revoke_sessions, disable_bypass, or the word none" in said.err


@pytest.mark.parametrize("name", ["TENANT_ID", "ResponderStorage"])
def test_a_missing_setting_is_one_line_that_names_it(name: str) -> None:
    said = run_bypassctl(RIGHT | {name: " "}, "status")

    assert (said.code, said.out, said.err.count("\n"), name in said.err) == (3, "", 1, True)


def test_enforce_without_protected_accounts_is_one_line_that_names_the_setting() -> None:
    said = run_bypassctl(RIGHT | {"MODE": "enforce"}, "status")

    assert (said.code, said.err.count("\n"), "PROTECTED_OBJECT_IDS" in said.err) == (3, 1, True)


def test_a_webhook_without_a_secret_is_one_line_that_names_the_setting() -> None:
    wrong = {"NOTIFICATION_WEBHOOK_URL": "https://example.org", "NOTIFICATION_WEBHOOK_SECRET": ""}
    said = run_bypassctl(RIGHT | wrong, "status")

    assert (said.code, said.err.count("\n"), "NOTIFICATION_WEBHOOK_SECRET" in said.err) == (3, 1, True)


def test_the_program_itself_ends_with_3_for_a_wrong_setting() -> None:
    said = bypassctl_program(RIGHT | {"MODE": "on"}, "status")

    assert (said.code, said.out, said.err.count("\n"), "MODE" in said.err) == (3, "", 1, True)


def test_storage_that_does_not_answer_is_one_line() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;" + ";".join(
        f"{service}Endpoint=http://127.0.0.1:9/devstoreaccount1" for service in ("Blob", "Queue", "Table")
    )
    said = run_bypassctl(RIGHT | {"ResponderStorage": nowhere}, "status")

    assert (said.code, said.err.count("\n")) == (3, 1)

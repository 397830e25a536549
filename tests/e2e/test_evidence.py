"""Every source of evidence, from the attack to the report: found, empty, and unavailable.

What is found is the planted value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.incident import Incident
from bypass_responder.model.notification import Notification
from bypass_responder.model.question import Role
from bypass_responder.rights import EVIDENCE_ROLES
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.logs.planted import plant
from sandbox.tenant.logs.traces import audit_record, sign_in
from sandbox.tenant.scene import account_named
from tests.e2e.ctl import bypassctl
from tests.e2e.live import Live
from tests.evidence.planted import PLANTED as BY_GRAPH

if TYPE_CHECKING:
    from tests.e2e.conftest import Start

APP = "3f2a0d5e-4d52-4f7e-9a43-0a4a5a6f0b11"
PLANTED = BY_GRAPH | {
    "security_alerts": "Suspicious inbox forwarding",
    "inbox_rules": "hidden rule",
    "forwarding": "to drop@fabrikam.com",
    "delegates": "patti@",
    "opens_mailboxes": "nestor@",
    "exports_without_sign_in": "SearchExported",
    "other_changes": "hid diego@",
    "authorization": "not an authorized actor",
}
"""What each source must bring about a person, in the actor's answer where both are asked."""
OF_APPLICATIONS = {"sign_ins_application"}
RUNS = 15
AGO = timedelta(minutes=10)
"""When the bypass was set; the traces are from half of it."""
Answers = dict[str, dict[str, Any]]


def allowed(live: Live, *, without: str = "") -> None:
    """Grant the responder every permission of the evidence run but the ones of a source."""
    missing = set(without.split(" or "))
    live.tenant.identities[RESPONDER_SECRET].roles[GRAPH] += [
        role.value for role in EVIDENCE_ROLES if role.value not in missing
    ]


async def reported(live: Live, incident_id: str, folder: Path) -> Answers:
    """Let every round end, write the report, and give its answers: the actor's where both are asked."""
    for _ in range(RUNS):
        await live.passes(seconds=300)
        await live.responder.gather_evidence()
        await live.reads()
    written = await bypassctl(live.cli_env, "incidents", "report", incident_id, "-o", str(folder))
    assert written.code == 0, written.err
    report = json.loads((folder / incident_id / "report.json").read_text(encoding="utf-8"))
    answers = report["incident"]["gathered"]["answers"]
    return {each["source"]: each for each in sorted(answers, key=lambda each: each["role"] == Role.ACTOR)}


def planted(live: Live) -> None:
    """One trace of each kind of the target and the actor, in the logs and in their mailboxes."""
    alex, mallory = (account_named(live.tenant, alias) for alias in ("alex", "mallory"))
    plant(live.tenant.traces, alex, mallory, datetime.now(UTC) - AGO / 2)
    rule = {"id": "1", "name": ".", "hidden": True, "properties": {"DeleteMessage": True}}
    mailbox = {
        "forwarding_smtp_address": "drop@fabrikam.com",
        "full_access": [live.id_of("patti")],
        "rules": [rule],
    }
    live.client.accounts(
        [
            {"object_id": mallory.object_id, "mailbox": mailbox},
            {
                "object_id": live.id_of("nestor"),
                "mailbox": {"type": "SharedMailbox", "full_access": [mallory.object_id]},
            },
        ]
    )


async def attacked(live: Live, then: Callable[[Live], None] | None = None, **fields: Any) -> str:
    """Mallory hides Alex, and does what is given; the id of the incident."""
    live.bypassed("alex", ago=AGO, **{"TokenObjectId": live.id_of("mallory")} | fields)
    if then:
        then(live)
    await live.runs()
    return next(each.id for each in await live.rows(Incident) if str(each.account).startswith("alex@"))


def test_every_source_has_a_planted_value() -> None:
    assert set(PLANTED) | OF_APPLICATIONS == {source.name for source in SOURCES}


async def test_each_source_reports_what_was_planted(start: Start, tmp_path: Path) -> None:
    live = await start(AUTHORIZED_ACTORS="admin@contoso.onmicrosoft.com")
    allowed(live)
    await live.first_start()
    live.bypassed("diego", TokenObjectId=live.id_of("mallory"))
    answers = await reported(live, await attacked(live, planted), tmp_path)
    missed = {name: answers.get(name) for name, value in PLANTED.items() if value not in json.dumps(answers.get(name))}

    assert missed == {}
    assert {name for name in PLANTED if answers[name]["state"] != "found"} == set()


async def test_the_sign_ins_of_an_application_are_reported(start: Start, tmp_path: Path) -> None:
    live = await start()
    allowed(live)
    await live.first_start()
    mallory = live.tenant.find(f"mallory@{live.tenant.settings.domain}")
    assert mallory is not None
    for kind in ("servicePrincipal", "managedIdentity"):
        live.tenant.traces.sign_ins.append(sign_in(mallory, live.tenant.clock(), kind=kind, appId=APP, country="ZZ"))
    incident = await attacked(live, UserType=5, UserId=APP, AppId=APP, TokenObjectId=None)
    answers = await reported(live, incident, tmp_path)

    assert (answers["sign_ins_application"]["state"], answers["sign_ins_application"]["count"]) == ("found", 2)


async def test_a_clean_tenant_is_empty(start: Start, tmp_path: Path) -> None:
    live = await start(AUTHORIZED_ACTORS="mallory@contoso.onmicrosoft.com")
    allowed(live)
    await live.first_start()
    answers = await reported(live, await attacked(live), tmp_path)

    assert {name: each["state"] for name, each in answers.items() if each["state"] != "empty"} == {
        "authorization": "found"
    }


def exported(live: Live) -> None:
    """Mallory exports mail; no log has a sign-in of the account."""
    mallory, at = account_named(live.tenant, "mallory"), datetime.now(UTC) - AGO / 2
    record = audit_record("SearchExported", at, mallory, workload="SecurityComplianceCenter", record_type=24)
    live.tenant.traces.audit_records.append(record)


async def test_an_export_without_a_sign_in_is_notified_as_follow_on(start: Start, tmp_path: Path) -> None:
    live = await start()
    allowed(live)
    await live.first_start()
    answers = await reported(live, await attacked(live, exported), tmp_path)
    [item] = answers["exports_without_sign_in"]["items"]

    assert (item["what"], item["detail"]["last_sign_in"]) == ("SearchExported", "none")
    assert item["notable"].startswith("export without a sign-in: none since ")
    sent = [each.text for each in await live.rows(Notification) if each.about == "follow_on"]
    assert "export without a sign-in" in " ".join(sent)


async def test_without_the_sign_ins_it_is_unknown_whether_there_was_one(start: Start, tmp_path: Path) -> None:
    live = await start()
    allowed(live, without="AuditLog.Read.All")
    await live.first_start()
    answer = (await reported(live, await attacked(live, exported), tmp_path))["exports_without_sign_in"]

    assert (answer["state"], answer["fix"]) == ("unavailable", "bypassctl grant --evidence AuditLog.Read.All")


@pytest.mark.slow
@pytest.mark.parametrize("permission", sorted({source.permission for source in SOURCES if ".All" in source.permission}))
async def test_without_its_permission_a_source_is_unavailable(start: Start, tmp_path: Path, permission: str) -> None:
    live = await start()
    allowed(live, without=permission)
    await live.first_start()
    answers = await reported(live, await attacked(live, planted), tmp_path)
    closed = {source.name for source in SOURCES if source.permission == permission} - OF_APPLICATIONS

    assert {answers[name]["state"] for name in closed} == {"unavailable"}
    assert {answers[name]["fix"] for name in closed} == {f"bypassctl grant --evidence {permission.partition(' ')[0]}"}


async def test_without_the_role_group_the_reads_of_mailboxes_are_unavailable(start: Start, tmp_path: Path) -> None:
    live = await start()
    allowed(live)
    live.tenant.settings.withheld_cmdlets = ("Get-Mailbox", "Get-InboxRule")
    await live.first_start()
    answers = await reported(live, await attacked(live, planted), tmp_path)

    assert {name: answers[name]["state"] for name in ("inbox_rules", "forwarding")} == dict.fromkeys(
        ("inbox_rules", "forwarding"), "unavailable"
    )
    assert "bypassctl grant --exchange-script --set reads" in answers["inbox_rules"]["fix"]

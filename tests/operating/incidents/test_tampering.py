"""What an actor did besides is one story with the bypass: in the view, its timeline and the report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor
from bypass_responder.model.technique import Technique
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.incidents.tampering import actor_names, read_tampering
from bypass_responder.operating.report.files import files_of
from bypass_responder.triggers.store_permissions import compare_permissions
from tests.operating.report.reports import report_of
from tests.sensing.builders import Json
from tests.tampering.family import FAMILY, ran
from tests.tampering.sensors import ours
from tests.triggers.test_store_records import a_record, polled
from tests.world import ALEX, START, World

LATER = f"{START - timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}"
BEFORE = f"{START - timedelta(minutes=20):%Y-%m-%dT%H:%M:%S}"


async def story(*others: Json) -> World:
    """Mallory hides Alex, and these records arrive with it."""
    return await polled(a_record(), *others)


async def test_all_ways_of_one_actor_are_one_story() -> None:
    one_record = [ours(FAMILY[way].positive, Id=way, CreationTime=BEFORE) for way in FAMILY]
    two_records = [
        ours(ran(f"{verb}-MailboxPermission", "ceo", User="eve", AccessRights="FullAccess"), Id=verb, CreationTime=at)
        for verb, at in (("Add", BEFORE), ("Remove", LATER))
    ]
    world = await story(*one_record, *two_records)
    await compare_permissions(world.services)
    view = (await report_of(world)).incident

    assert {each.technique for each in view.tampering} == {*Technique}
    assert sum(row.what.startswith("Tampering: ") for row in view.timeline) == len(Technique)
    assert view.timeline[0].what.startswith("Tampering: ")


async def test_the_report_says_what_each_means_and_how_it_is_undone() -> None:
    world = await story(ours(FAMILY[Technique.PRECURSOR].positive))
    page = files_of(await report_of(world))["report.html"].decode()

    assert "Other tampering by the actors or with the account" in page
    assert "Remove-RoleGroup -Identity &#39;Tools&#39;" in page


async def test_without_tampering_the_report_has_no_such_part() -> None:
    page = files_of(await report_of(await story()))["report.html"].decode()

    assert "Other tampering" not in page


async def test_what_somebody_else_did_is_not_in_it() -> None:
    other = ours(FAMILY[Technique.PRECURSOR].positive, UserId="eve@contoso.onmicrosoft.com")
    view = await read_incident((await (world := await story(other)).incidents(ALEX))[-1].id, world.services)

    assert view.tampering == ()


async def test_it_is_shown_however_much_others_changed_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bypass_responder.operating.incidents.tampering.MOST_CHANGES", 2)
    own = ours(FAMILY[Technique.PRECURSOR].positive, CreationTime=BEFORE)
    others = [ours(FAMILY[Technique.PRECURSOR].positive, Id=f"other{n}", UserId="eve") for n in range(5)]

    assert [each.who for each in (await report_of(await story(own, *others))).incident.tampering] == [own["UserId"]]


@pytest.mark.parametrize(
    "change",
    [
        ours(FAMILY[Technique.ACTION_LIST].positive, UserId="eve", ObjectId=ALEX),
        ours(ran("Set-Mailbox", "x", Identity="ALEX@contoso.onmicrosoft.com", AuditEnabled="False"), UserId="eve"),
        ours(FAMILY[Technique.PRECURSOR].positive, UserId="Alex@contoso.onmicrosoft.com"),
    ],
    ids=["its mailbox by id", "its mailbox by name", "by the account itself"],
)
async def test_what_was_done_to_or_by_the_bypassed_account_is_in_it(change: Json) -> None:
    assert len((await report_of(await story(change))).incident.tampering) == 1


async def test_what_was_done_to_a_name_that_the_record_has_is_in_it() -> None:
    """Scripts that hide an account and stop its auditing give both commands the same name, such as an alias."""
    world = await story(ours(ran("Set-Mailbox", "x", Identity="Alex.A", AuditEnabled="False"), UserId="eve"))
    incident = (await world.incidents(ALEX))[-1].model_copy(update={"names": ("alex.a",)})
    tenant = await world.case(TENANT_TARGET)

    assert len(await read_tampering(incident, world.ledger, world.now, tenant=tenant)) == 1


async def test_the_application_that_everyone_uses_is_no_actor() -> None:
    assert actor_names([Actor(app_id="fb78d390-0c51-40cd-8e17-fdbfab77341b")]) == set()


async def test_a_failed_attempt_is_in_the_story_without_a_repair() -> None:
    world = await story(ours(FAMILY[Technique.ACTION_LIST].failed))
    [each] = (await report_of(world)).incident.tampering

    assert (each.outcome.value, each.repair) == ("failed", "")


async def test_the_case_of_a_name_does_not_matter() -> None:
    record = ours(ran("Set-Mailbox", "m", Identity="m", AuditEnabled="False"), UserId="MALLORY@contoso.onmicrosoft.com")

    assert len((await report_of(await story(record))).incident.tampering) == 1


async def test_the_report_says_whether_a_switch_is_still_off_as_the_sweep_reads_it() -> None:
    world = await story(ours(FAMILY[Technique.ORGANIZATION_OFF].positive))
    await world.sweep(audit_disabled=True)
    page = files_of(await report_of(world))["report.html"].decode()

    assert f"Still in effect, read at {world.now:%Y-%m-%d %H:%M:%SZ}: AuditDisabled is True." in page


async def test_what_is_undone_has_no_command_that_undoes_it() -> None:
    world = await story(ours(FAMILY[Technique.ORGANIZATION_OFF].positive))
    await world.sweep(audit_disabled=False)
    [each] = (await report_of(world)).incident.tampering

    assert (each.read_back and each.read_back.state.value, each.repair) == ("undone", "")

"""For whom and when records do not exist: the windows of the account, the organization and others."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.errors import PermissionMissingError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.health import Tampering
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.sweep import Baseline, BaselineEntry
from bypass_responder.model.technique import Technique
from bypass_responder.operating.blind_windows.read_windows import read_windows, windows_besides
from bypass_responder.operating.report.incident_report import read_report
from bypass_responder.operating.status import MOST_OF_TECHNIQUES
from bypass_responder.session import raise_health
from tests.case.test_tampering_state import changed as stored_change
from tests.operating.blind_windows.test_known_window import a_record
from tests.tampering.family import ALEX as UPN
from tests.tampering.family import FAMILY, ran
from tests.world import ALEX, BLAKE, START, World, a_finding, an_entry

HOUR = timedelta(hours=1)


async def attacked(*accounts: str) -> World:
    """A world in which these accounts were bypassed."""
    world = World()
    names = {ALEX: "alex", BLAKE: "blake"}
    for account in accounts:
        upn = f"{names[account]}@contoso.onmicrosoft.com"
        await world.sees(a_finding(object_id_text=account, identity_text=upn, target=account))
    return world


async def test_an_account_without_a_bypass_has_no_window() -> None:
    assert not (await read_windows(World().services, ALEX)).any


async def test_the_window_of_an_incident_is_its_accounts() -> None:
    world = await attacked(ALEX)
    [window] = (await read_windows(world.services, ALEX)).own

    assert (window.start, window.end, window.incident) == (START - HOUR, None, (await world.incidents())[0].id)


async def test_an_account_is_found_by_the_beginning_of_its_name() -> None:
    world = await attacked(ALEX, BLAKE)

    assert [each.target for each in (await read_windows(world.services, "ALEX@")).own] == [ALEX]


async def test_the_windows_of_others_are_set_apart() -> None:
    world = await attacked(ALEX, BLAKE)

    assert [each.target for each in (await read_windows(world.services, ALEX)).others] == [BLAKE]


async def test_without_an_account_every_window_is_listed() -> None:
    world = await attacked(ALEX, BLAKE)

    assert {each.target for each in (await read_windows(world.services)).own} == {ALEX, BLAKE}


async def test_what_ended_before_is_left_out() -> None:
    world = await attacked(ALEX)
    await world.answer(outcome="verified", before=True, after=False)
    found = [(await read_windows(world.services, ALEX, since=START + hours * HOUR)).any for hours in (-1, 24)]

    assert found == [True, False]


async def test_an_allowlisted_bypass_is_a_window_too() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()

    assert [each.why for each in (await read_windows(world.services, ALEX)).own] == ["its bypass is allowlisted"]


async def test_an_allowlisted_account_is_found_by_the_name_in_its_entry() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry(display_name="alex@contoso.onmicrosoft.com")
    world.bypassed[ALEX] = True
    await world.sweep()

    assert (await read_windows(world.services, "alex@contoso.onmicrosoft.com")).own


async def allowed(*accounts: str, on: bool = True) -> World:
    """A world in which a record of the allowlisted bypass of each account was settled."""
    world = World()
    for account in accounts:
        world.allowlist.rows[account], world.bypassed[account] = an_entry(account), on
        await world.sees(a_finding(object_id_text=account, identity_text=account))
    return world


async def test_an_allowlisted_bypass_that_no_sweep_has_seen_yet_is_a_window() -> None:
    world = await allowed(ALEX)

    assert [(each.start, each.start_known, each.end) for each in (await read_windows(world.services, ALEX)).own] == [
        (START - HOUR, True, None)
    ]


async def test_an_allowlisted_bypass_that_has_ended_is_still_a_window() -> None:
    world = await allowed(ALEX)
    await world.sweep()
    off = a_finding(switch=Switch.OFF, effective_at=START + HOUR)
    world.now += 2 * HOUR
    world.bypassed[ALEX] = False
    await world.sees(off)
    await world.sweep()

    assert [(each.end, each.why) for each in (await read_windows(world.services, ALEX)).own] == [
        (START + HOUR, "its bypass was allowlisted")
    ]


async def test_an_allowlisted_bypass_that_a_sweep_lists_after_it_was_off_is_on_again() -> None:
    world = await allowed(ALEX)
    await world.sweep()
    world.now += 2 * HOUR
    await world.sees(a_finding(switch=Switch.OFF, effective_at=START + HOUR))
    await world.sweep()

    assert [(each.start, each.end) for each in (await read_windows(world.services, ALEX)).own] == [
        (START + 2 * HOUR, None),
        (START - HOUR, START + HOUR),
    ]


async def test_an_allowlisted_bypass_of_which_no_record_shows_the_end_ended_before_the_sweep_without_it() -> None:
    world = await allowed(ALEX, on=False)
    await world.sweep()

    assert [each.end for each in (await read_windows(world.services, ALEX)).own] == [START]


async def test_an_allowlisted_bypass_that_came_on_again_is_a_second_window() -> None:
    world = await allowed(ALEX)
    await world.sees(
        a_finding(switch=Switch.OFF, effective_at=START - HOUR / 2), a_finding(effective_at=START - HOUR / 4)
    )

    assert {(each.start, each.end) for each in (await read_windows(world.services, ALEX)).own} == {
        (START - HOUR, START - HOUR / 2),
        (START - HOUR / 4, None),
    }


async def test_an_allowlisted_bypass_without_an_object_id_is_a_window_too() -> None:
    world = World()
    entries = {"g": BaselineEntry(None, "Zoë", START, covered=True)}
    world.sweeps.kept = Baseline(
        command_id="c", started_at=START, scanned=1, entries=entries, first_at=START, moved_at=START
    )

    assert [each.name for each in (await read_windows(world.services)).own] == ["Zoë"]


async def test_many_findings_without_an_incident_hide_no_incident_and_are_named() -> None:
    world = await attacked(BLAKE)
    world.allowlist.rows[ALEX] = an_entry()
    await world.sees(*(a_finding() for _ in range(3)))
    read = await read_windows(world.services, most=2)

    assert {each.target for each in read.own} == {ALEX, BLAKE}
    assert read.incomplete == ("only the newest 2 findings that opened no incident were read",)


async def test_an_account_is_found_by_every_name_that_the_index_has() -> None:
    world = await allowed(ALEX)
    world.allowlist.rows[ALEX] = an_entry(display_name="The archive")

    assert (await read_windows(world.services, ALEX.upper())).own


async def test_a_case_that_cannot_be_read_is_named() -> None:
    world = await attacked(ALEX)
    world.ledger.stored[ALEX]["now-broken"] = ("incident", "{}")

    assert (await read_windows(world.services)).incomplete == ("1 case could not be read",)


async def test_a_switch_of_the_organization_concerns_everybody() -> None:
    world = World()
    await raise_health("audit_disabled", "off", world.services)

    assert [each.name for each in (await read_windows(world.services, ALEX)).organization] == ["every account"]


async def changed(*rows: Tampering, world: World | None = None) -> World:
    """A world whose tenant has these changes of the family."""
    world = world or World()
    case = await world.ledger.load(TENANT_TARGET)
    for begin in range(0, len(rows), 90):
        case = await world.ledger.commit(case, [case.head, *rows[begin : begin + 90]], [])
    return world


def a_flood(number: int, technique: Technique = Technique.AUDIT_ENABLED) -> list[Tampering]:
    fields = {"technique": technique, "parameter": "AuditEnabled"}
    return [a_record(5, weakens=True, id=f"flood-{n}", **fields) for n in range(number)]


async def test_a_flood_of_other_changes_hides_no_switch_of_the_organization() -> None:
    off_and_on = (a_record(1, weakens=True), a_record(2, weakens=False))
    read = await read_windows((await changed(*off_and_on, *a_flood(250))).services)

    assert [(each.start, each.end) for each in read.organization] == [(START + HOUR, START + 2 * HOUR)]
    assert read.incomplete == ()


async def test_changes_of_the_switches_that_were_not_read_are_named() -> None:
    flood = a_flood(MOST_OF_TECHNIQUES, Technique.ORGANIZATION_OFF)

    assert (await read_windows((await changed(*flood)).services)).incomplete == (
        f"only the newest {MOST_OF_TECHNIQUES} changes of the organization's switches were read",
    )


async def test_what_may_not_be_read_is_named() -> None:
    world = World()
    world.sweeps.fail("baseline", PermissionMissingError("403.", permission="Storage Blob Data Reader"))

    assert (await read_windows(world.services)).incomplete == (
        "allowlisted bypasses were not read: see bypassctl accounts bypassed",
    )


async def test_the_evidence_of_an_incident_lacks_what_others_did_in_the_dark() -> None:
    world = await attacked(ALEX, BLAKE)
    found = await windows_besides(world.services, ALEX, START, START + HOUR)

    assert [each.target for each in found.windows] == [BLAKE]


async def test_the_report_says_what_was_not_read_of_the_windows_of_others() -> None:
    world = await attacked(ALEX)
    world.sweeps.fail("baseline", PermissionMissingError("403.", permission="Storage Blob Data Reader"))
    report = await read_report((await world.incidents())[0].id, world.services, made_by="ops")
    [not_read] = report.incident.windows_incomplete

    assert f"other times without records: {not_read}" in " ".join(report.unknown)


async def test_a_mailbox_whose_action_lists_were_emptied_has_a_window() -> None:
    emptied = ran("Set-Mailbox", ALEX, Identity=UPN, AuditOwner="", AuditDelegate="", AuditAdmin="")
    world = await changed(stored_change(emptied))
    read = await read_windows(world.services, ALEX)
    [window] = read.mailboxes

    assert (read.any, read.of_every_type, window.target, window.end) == (True, False, ALEX, None)
    assert {"Send", "MailItemsAccessed", "HardDelete"} <= {*window.action_types}


async def test_the_window_of_a_mailbox_ends_when_a_read_has_its_actions_again() -> None:
    undone = ReadBack(state=Persists.UNDONE, read_at=START + HOUR, detail="the actions are in the lists again")
    update = ran("Set-Mailbox", ALEX, Identity=UPN, AuditOwner="-Update")
    [window] = (await read_windows((await changed(stored_change(update, read_back=undone))).services)).mailboxes

    assert (window.start, window.end, window.action_types) == (START, START + HOUR, ("Update",))
    assert "by the owner Update" in window.text


async def test_a_failed_change_of_an_action_list_makes_no_window() -> None:
    failed = stored_change(FAMILY[Technique.ACTION_LIST].positive, outcome=Outcome.FAILED)

    assert not (await read_windows((await changed(failed)).services)).any


async def test_an_incident_has_the_windows_of_its_mailbox_too() -> None:
    update = ran("Set-Mailbox", ALEX, Identity=UPN, AuditOwner="-Update")
    world = await changed(stored_change(update))

    assert [each.target for each in (await windows_besides(world.services, ALEX, START, None)).windows] == [ALEX]


async def test_the_report_names_the_windows_of_others() -> None:
    world = await attacked(ALEX, BLAKE)
    report = await read_report((await world.incidents())[0].id, world.services, made_by="ops")

    assert [each.target for each in report.incident.other_windows] == [BLAKE]

"""The ledger: the same facts hold for the fake and for the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.data.tables import TableEntity, UpdateMode

from bypass_responder.adapters import ledger_entities, ledger_table
from bypass_responder.adapters.ledger_entities import TABLE
from bypass_responder.adapters.ledger_table import TableLedger
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError, InputError, RefusedError
from bypass_responder.model.base import Row
from bypass_responder.model.case import Case, Head
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.finding import Alone, Evidence, Finding, Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.log import LogEntry
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.plan_run import PlanRun
from bypass_responder.model.technique import Technique
from bypass_responder.ports import Ledger
from tests.case.plans import a_run
from tests.fakes import FakeLedger

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TARGET = "11111111-1111-1111-1111-111111111111"
MALLORYS_ID = "dddddddd-0000-4000-8000-000000000004"


def a_finding(*, finding_id: str = "f1", target: str = TARGET, evidence: str | None = None) -> Finding:
    return Finding(
        id=finding_id,
        target=target,
        source=Source.FEED,
        switch=Switch.ON,
        outcome=Outcome.SUCCESS,
        effective_at=NOON,
        received_at=NOON,
        evidence=None if evidence is None else Evidence(text=evidence, length_bytes=len(evidence), sha256="0" * 64),
    )


def an_off(finding_id: str) -> Finding:
    return a_finding(finding_id=finding_id).model_copy(update={"switch": Switch.OFF})


def an_incident(incident_id: str = "i1") -> Incident:
    return Incident(
        id=incident_id, target=TARGET, status=IncidentStatus.OPEN, opened_at=NOON, verdict="violation", reason="none"
    )


def a_tampering(tampering_id: str, at: datetime, technique: Technique = Technique.AGE_LIMIT) -> Tampering:
    return Tampering(
        id=tampering_id,
        occurred_at=at,
        technique=technique,
        operation="Set-Mailbox",
        parameter="AuditLogAgeLimit",
        value="0",
        weakens=True,
        outcome=Outcome.SUCCESS,
        actor=Actor(user_id="mallory"),
        evidence=Evidence(length_bytes=0, sha256=""),
    )


def an_entry(seq: int, *, target: str = TARGET) -> LogEntry:
    return LogEntry(target=target, seq=seq, at=NOON, event="decided", text=f"line {seq}", previous="p")


def a_head(log_seq: int = 0) -> Head:
    return Head(log_seq=log_seq, log_hash="h")


@pytest.fixture(params=["fake", "azurite"])
def ledger(request: pytest.FixtureRequest, tenant_id: str) -> Ledger:
    if request.param == "fake":
        return FakeLedger()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableLedger(clients.tables, tenant_id)


async def test_an_unknown_target_is_an_empty_case(ledger: Ledger) -> None:
    assert await ledger.load(TARGET) == Case(target=TARGET)


async def test_what_was_committed_is_loaded_with_the_etag_of_the_head(ledger: Ledger) -> None:
    committed = await ledger.commit(await ledger.load(TARGET), [a_head(1), an_incident()], [an_entry(1)])

    assert await ledger.load(TARGET) == committed
    assert committed.by_key == {"head": a_head(1), "incident-i1": an_incident()}


async def test_the_returned_case_can_be_committed_again_without_a_read(ledger: Ledger) -> None:
    first = await ledger.commit(Case(target=TARGET), [a_head()], [])
    second = await ledger.commit(first, [a_head(1)], [an_entry(1)])

    assert second.head.log_seq == 1
    assert second.etag != first.etag


async def test_a_stale_case_is_a_conflict_and_writes_nothing(ledger: Ledger) -> None:
    first = await ledger.commit(Case(target=TARGET), [a_head()], [])
    await ledger.commit(first, [a_head(1)], [an_entry(1)])
    with pytest.raises(ConflictError):
        await ledger.commit(first, [a_head(1), an_incident()], [an_entry(1)])

    assert "incident-i1" not in (await ledger.load(TARGET)).by_key


async def test_an_empty_case_is_a_conflict_when_somebody_was_first(ledger: Ledger) -> None:
    await ledger.commit(Case(target=TARGET), [a_head()], [])
    with pytest.raises(ConflictError):
        await ledger.commit(Case(target=TARGET), [a_head(), an_incident()], [])


async def test_the_log_comes_back_in_order_and_not_with_the_case(ledger: Ledger) -> None:
    entries = [an_entry(seq) for seq in range(1, 13)]
    await ledger.commit(Case(target=TARGET), [a_head(12)], entries)

    assert [entry async for entry in ledger.log(TARGET)] == entries
    assert set((await ledger.load(TARGET)).by_key) == {"head"}


@pytest.mark.parametrize("seqs", [[2], [1, 3], [1, 1]])
async def test_a_log_entry_out_of_turn_is_refused(ledger: Ledger, seqs: list[int]) -> None:
    with pytest.raises(RefusedError):
        await ledger.commit(Case(target=TARGET), [a_head()], [an_entry(seq) for seq in seqs])


async def test_a_transaction_without_the_head_is_refused(ledger: Ledger) -> None:
    with pytest.raises(RefusedError, match="head"):
        await ledger.commit(Case(target=TARGET), [an_incident()], [])


async def test_a_hundred_operations_are_one_transaction(ledger: Ledger) -> None:
    entries = [an_entry(seq) for seq in range(1, 100)]
    await ledger.commit(Case(target=TARGET), [a_head(99)], entries)

    assert len([entry async for entry in ledger.log(TARGET)]) == 99


async def test_more_than_a_hundred_operations_are_refused(ledger: Ledger) -> None:
    with pytest.raises(RefusedError, match="100"):
        await ledger.commit(Case(target=TARGET), [a_head()], [an_entry(seq) for seq in range(1, 101)])


async def test_a_finding_is_inserted_once_and_needs_no_head(ledger: Ledger) -> None:
    assert await ledger.add_finding(a_finding())
    assert not await ledger.add_finding(a_finding(evidence="another"))
    assert (await ledger.load(TARGET)).by_key == {"finding-f1": a_finding()}


async def test_a_finding_is_read_by_its_id(ledger: Ledger) -> None:
    await ledger.add_finding(a_finding())

    assert await ledger.finding(TARGET, "f1") == a_finding()
    assert await ledger.finding(TARGET, "f2") is None


async def test_a_finding_does_not_disturb_a_transaction_under_way(ledger: Ledger) -> None:
    case = await ledger.commit(Case(target=TARGET), [a_head()], [])
    await ledger.add_finding(a_finding())
    await ledger.commit(case, [a_head()], [])

    assert set((await ledger.load(TARGET)).by_key) == {"head", "finding-f1"}


@pytest.mark.parametrize("length", [16_000, 32_768])
async def test_a_long_row_comes_back_whole(ledger: Ledger, length: int) -> None:
    finding = a_finding(evidence="😀" * length)
    await ledger.add_finding(finding)

    assert (await ledger.load(TARGET)).by_key["finding-f1"] == finding


ODD = ["a/b", "a\\b", "a#b", "a?b", "a\u0000b", "a\u0085b", "a%2Fb", "a'b", "é😀", "a" * 2000]


@pytest.mark.parametrize("odd", ODD)
async def test_an_id_that_no_table_key_can_hold_is_kept_all_the_same(ledger: Ledger, odd: str) -> None:
    await ledger.add_finding(a_finding(finding_id=odd))

    assert (await ledger.load(TARGET)).by_key == {f"finding-{odd}": a_finding(finding_id=odd)}


async def test_two_odd_ids_never_share_a_row(ledger: Ledger) -> None:
    assert await ledger.add_finding(a_finding(finding_id="a/b"))
    assert await ledger.add_finding(a_finding(finding_id="a!2f!b"))


async def test_targets_are_those_with_a_partition(ledger: Ledger) -> None:
    await ledger.add_finding(a_finding(target="name-x"))
    await ledger.commit(Case(target=TARGET), [a_head()], [])

    assert await ledger.targets() == {"name-x", TARGET}


async def test_one_target_does_not_see_another(ledger: Ledger) -> None:
    await ledger.add_finding(a_finding(target="name-x"))

    assert (await ledger.load("name")).by_key == {}


async def test_a_row_too_large_for_the_table_is_refused(clients: StorageClients, tenant_id: str) -> None:
    with pytest.raises(RefusedError, match="too many"):
        await TableLedger(clients.tables, tenant_id).add_finding(a_finding(evidence="x" * 500_000))


async def test_tenants_do_not_see_each_other(clients: StorageClients, tenant_id: str) -> None:
    await TableLedger(clients.tables, str(uuid4())).add_finding(a_finding())

    assert await TableLedger(clients.tables, tenant_id).targets() == set()
    assert (await TableLedger(clients.tables, tenant_id).load(TARGET)).by_key == {}


@pytest.mark.parametrize(
    "columns",
    [
        {"Kind": "finding", "Body": "{"},
        {"Kind": "finding", "Body": "{}"},
        {"Kind": "finding", "Body": 7},
        {"Kind": "finding"},
        {"Kind": "nonsense", "Body": "{}"},
        {"Body": "{}"},
        {"Kind": "head", "Body": "{}"},
    ],
)
async def test_a_corrupt_row_is_named(clients: StorageClients, tenant_id: str, columns: dict[str, object]) -> None:
    keys = {"PartitionKey": f"{tenant_id}_{TARGET}", "RowKey": "now-finding-f1"}
    await clients.tables.get_table_client(TABLE).create_entity(keys | columns)
    with pytest.raises(InputError, match=rf"table Ledger, {tenant_id}_{TARGET} / now-finding-f1") as caught:
        await TableLedger(clients.tables, tenant_id).load(TARGET)

    assert caught.value.reason == "corrupt_row"


async def test_a_row_of_a_newer_version_is_left_out_and_kept(clients: StorageClients, tenant_id: str) -> None:
    ledger = TableLedger(clients.tables, tenant_id)
    keys = {"PartitionKey": f"{tenant_id}_{TARGET}", "RowKey": "now-new-kind-1"}
    await clients.tables.get_table_client(TABLE).create_entity(keys | {"Kind": "new_kind", "Body": "{}"})
    await ledger.commit(await ledger.load(TARGET), [a_head()], [])

    assert list((await ledger.load(TARGET, history=True)).by_key) == ["head"]
    assert await clients.tables.get_table_client(TABLE).get_entity(keys["PartitionKey"], keys["RowKey"])


async def test_a_log_line_under_another_number_is_a_corrupt_row(clients: StorageClients, tenant_id: str) -> None:
    body = {"Kind": "log", "Body": an_entry(2).model_dump_json()}
    keys = {"PartitionKey": f"{tenant_id}_{TARGET}", "RowKey": "log-0000000001"}
    await clients.tables.get_table_client(TABLE).create_entity(keys | body)
    with pytest.raises(InputError, match="corrupt_row"):
        [entry async for entry in TableLedger(clients.tables, tenant_id).log(TARGET)]


async def test_a_shorter_row_leaves_nothing_of_the_longer_one(clients: StorageClients, tenant_id: str) -> None:
    ledger = TableLedger(clients.tables, tenant_id)
    long = a_finding(evidence="x" * 40_000)
    case = await ledger.commit(Case(target=TARGET), [a_head(), long], [])
    await ledger.commit(case, [a_head(), a_finding()], [])

    assert (await ledger.load(TARGET)).by_key["finding-f1"] == a_finding()


async def test_rows_show_status_and_time_to_a_person(clients: StorageClients, tenant_id: str) -> None:
    await TableLedger(clients.tables, tenant_id).commit(Case(target=TARGET), [a_head(), an_incident()], [])
    table = clients.tables.get_table_client(TABLE)
    entity = await table.get_entity(f"{tenant_id}_{TARGET}", "now-incident-i1")

    assert (entity["Kind"], entity["Status"], entity["At"]) == ("incident", "open", NOON)


@pytest.fixture
async def large(clients: StorageClients, tenant_id: str) -> TableLedger:
    """A case of more rows than the service gives out in one page."""
    ledger = TableLedger(clients.tables, tenant_id)
    await ledger.commit(Case(target=TARGET), [a_head()], [])
    one = {"PartitionKey": f"{tenant_id}_{TARGET}", "Kind": "finding"}
    findings = [a_finding(finding_id=f"{number:04d}") for number in range(1100)]
    entities = [one | {"RowKey": f.place, "Body": f.model_dump_json()} for f in findings]
    for start in range(0, 1100, 100):
        some = [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in entities[start : start + 100]]
        await clients.tables.get_table_client(TABLE).submit_transaction(some)
    return ledger


async def test_a_case_of_several_pages_is_read_whole(large: TableLedger) -> None:
    assert len((await large.load(TARGET)).by_key) == 1101


async def test_a_transaction_between_two_pages_is_a_conflict(
    large: TableLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await large.load(TARGET)
    read_row = ledger_entities.row_of

    def forged_etag(entity: TableEntity) -> Row:
        """The head as it was before somebody else's transaction."""
        entity.metadata["etag"] = "before"
        return read_row(entity)

    monkeypatch.setattr(ledger_table, "row_of", forged_etag)
    with pytest.raises(ConflictError):
        await large.load(TARGET)

    assert case.etag != "before"


# ---- what is not loaded


def moment(minutes: int) -> str:
    return f"{NOON + timedelta(minutes=minutes):%Y%m%dT%H%M%S%f}"


async def test_a_row_that_is_filed_is_history(ledger: Ledger) -> None:
    case = await ledger.commit(Case(target=TARGET), [a_head(), an_incident()], [])
    place = f"closed-{moment(0)}-i1-incident-i1"
    filed = await ledger.commit(case, [a_head(), an_incident()], [], {"incident-i1": place})

    assert set((await ledger.load(TARGET)).by_key) == {"head"}
    assert (await ledger.load(TARGET, history=True)).by_key["incident-i1"] == an_incident()
    assert filed.kept == {"incident-i1": place}


async def test_a_row_of_the_history_is_changed_in_its_place(ledger: Ledger) -> None:
    place = f"closed-{moment(0)}-i1-incident-i1"
    case = await ledger.commit(Case(target=TARGET), [a_head(), an_incident()], [], {"incident-i1": place})
    changed = an_incident().model_copy(update={"reason": "another"})
    await ledger.commit(case, [a_head(), changed], [])
    history = await ledger.load(TARGET, history=True)

    assert (history.by_key["incident-i1"], history.kept) == (changed, {"incident-i1": place})


async def test_a_row_of_the_history_returns(ledger: Ledger) -> None:
    place = f"closed-{moment(0)}-i1-incident-i1"
    case = await ledger.commit(Case(target=TARGET), [a_head(), an_incident()], [], {"incident-i1": place})
    back = await ledger.commit(case, [a_head(), an_incident()], [], {"incident-i1": ""})

    assert await ledger.load(TARGET, history=True) == back
    assert (await ledger.load(TARGET)).kept == {}


async def test_a_row_is_deleted(ledger: Ledger) -> None:
    case = await ledger.commit(Case(target=TARGET), [a_head(), an_incident()], [])
    await ledger.commit(case, [a_head()], [], {"incident-i1": None})

    assert set((await ledger.load(TARGET, history=True)).by_key) == {"head"}


async def test_a_finding_that_is_filed_is_still_known(ledger: Ledger) -> None:
    await ledger.add_finding(a_finding())
    case = await ledger.load(TARGET)
    await ledger.commit(case, [a_head(), a_finding()], [], {"finding-f1": "finding-f1"})

    assert not await ledger.add_finding(a_finding())
    assert "finding-f1" not in (await ledger.load(TARGET)).by_key


async def test_a_finding_that_returns_is_known_for_good(ledger: Ledger) -> None:
    await ledger.add_finding(a_finding())
    filed = {"finding-f1": "finding-f1"}
    case = await ledger.commit(await ledger.load(TARGET), [a_head(), a_finding()], [], filed)
    case = await ledger.commit(case, [a_head(), a_finding()], [], {"finding-f1": ""})
    await ledger.commit(case, [a_head(), a_finding()], [], filed)

    assert not await ledger.add_finding(a_finding())


async def test_records_that_decide_nothing_are_read_in_batches(ledger: Ledger) -> None:
    for number in range(5):
        await ledger.add_finding(an_off(f"off{number}"))

    assert set((await ledger.load(TARGET)).by_key) == {"unrecorded"}
    assert set((await ledger.records(TARGET, 3)).by_key) == {"finding-off0", "finding-off1", "finding-off2"}


async def test_a_record_that_decides_nothing_is_announced_until_it_is_recorded(ledger: Ledger) -> None:
    await ledger.add_finding(an_off("off"))
    await ledger.commit(await ledger.load(TARGET), [a_head()], [], {"unrecorded": None})

    assert set((await ledger.load(TARGET)).by_key) == {"head"}


async def test_a_record_that_came_since_the_case_was_read_stays_announced(ledger: Ledger) -> None:
    await ledger.add_finding(an_off("first"))
    case = await ledger.load(TARGET)
    await ledger.add_finding(an_off("second"))

    with pytest.raises(ConflictError):
        await ledger.commit(case, [a_head()], [], {"unrecorded": None})
    assert set((await ledger.load(TARGET)).by_key) == {"unrecorded"}


async def test_other_commits_go_on_while_records_are_added(ledger: Ledger) -> None:
    await ledger.add_finding(an_off("first"))
    case = await ledger.load(TARGET)
    await ledger.add_finding(an_off("second"))
    await ledger.commit(case, [a_head(), an_incident()], [])

    assert set((await ledger.load(TARGET)).by_key) == {"head", "incident-i1", "unrecorded"}


async def test_the_episodes_from_a_moment_on(ledger: Ledger) -> None:
    incidents = [an_incident(f"i{number}") for number in range(4)]
    places = {f"incident-i{n}": f"closed-{moment(n)}-i{n}-incident-i{n}" for n in range(4)}
    await ledger.commit(Case(target=TARGET), [a_head(), *incidents], [], places)

    assert set((await ledger.episodes(TARGET, NOON + timedelta(minutes=2))).by_key) == {"incident-i2", "incident-i3"}


async def test_findings_of_no_incident_by_time_page_by_page(ledger: Ledger) -> None:
    alone = [
        Alone(finding=a_finding(finding_id=f"a{n}").model_copy(update={"effective_at": NOON + timedelta(minutes=n)}))
        for n in range(5)
    ]
    await ledger.commit(Case(target=TARGET), [a_head(), *alone], [])
    first = await ledger.alone(TARGET, NOON + timedelta(minutes=1), limit=2)
    second = await ledger.alone(TARGET, NOON, after=max(first.by_key), limit=2)

    assert [row.finding.id for row in first.rows(Alone)] == ["a1", "a2"]
    assert [row.finding.id for row in second.rows(Alone)] == ["a3", "a4"]
    assert set((await ledger.load(TARGET)).by_key) == {"head"}


async def test_earlier_runs_of_plans_the_newest_first(ledger: Ledger) -> None:
    runs = [a_run(id=f"r{n}", started_at=NOON + timedelta(days=n)) for n in range(3)]
    case = await ledger.load(TARGET)
    await ledger.commit(case, [Head(), *runs], [], {run.row_key: run.filed for run in runs[:2]})
    newest = await ledger.plan_runs(TARGET, 1)

    assert [run.id for run in newest.rows(PlanRun)] == ["r1"]
    assert [run.id for run in (await ledger.plan_runs(TARGET, 9)).rows(PlanRun)] == ["r0", "r1"]
    assert [run.id for run in (await ledger.load(TARGET)).rows(PlanRun)] == ["r2"]


async def test_tampering_between_two_moments_the_newest_first(ledger: Ledger) -> None:
    changes = [a_tampering(f"t{n}", NOON + timedelta(minutes=n)) for n in range(5)]
    await ledger.commit(Case(target=TARGET), [a_head(), *changes], [])
    minute = timedelta(minutes=1)
    newest = await ledger.tampering(TARGET, since=NOON + minute, until=NOON + 3 * minute, limit=2)
    one = await ledger.tampering(TARGET, since=NOON + minute, until=NOON + minute, limit=9)

    assert [row.id for row in newest.rows(Tampering)] == ["t2", "t3"]
    assert [row.id for row in one.rows(Tampering)] == ["t1"]
    assert set((await ledger.load(TARGET)).by_key) == {"head"}


async def test_tampering_of_chosen_techniques_however_much_newer_there_is(ledger: Ledger) -> None:
    minute, wanted = timedelta(minutes=1), (Technique.ORGANIZATION_OFF, Technique.UNIFIED_LOG_OFF)
    switches = [a_tampering(f"s{n}", NOON + n * minute, each) for n, each in enumerate(wanted)]
    flood = [a_tampering(f"t{n}", NOON + (n + 2) * minute) for n in range(9)]
    await ledger.commit(Case(target=TARGET), [a_head(), *switches, *flood], [])
    found = await ledger.tampering(TARGET, since=NOON, until=NOON + 60 * minute, limit=2, techniques=wanted)

    assert [row.id for row in found.rows(Tampering)] == ["s0", "s1"]


@pytest.mark.parametrize(
    ("by", "to", "found"),
    [
        ({"o'hara@contoso.com"}, (), ["t0"]),
        ({MALLORYS_ID}, (), ["t1"]),
        ((), {"alex@contoso.com"}, ["t2"]),
        ((), {TARGET}, ["t3"]),
        ({"o'hara@contoso.com", MALLORYS_ID}, {TARGET}, ["t1", "t3"]),
        ({"o'hara@contoso.com", *(f"somebody{n}@contoso.com" for n in range(50))}, {TARGET}, ["t0", "t3"]),
    ],
)
async def test_tampering_by_an_actor_or_to_an_object_however_much_newer_there_is(
    ledger: Ledger, by: set[str], to: set[str], found: list[str]
) -> None:
    minute = timedelta(minutes=1)
    names: list[dict[str, Any]] = [
        {"actor": Actor(user_id="O'Hara@contoso.com")},
        {"actor": Actor(user_id="m", object_id=MALLORYS_ID)},
        {"target": "Alex@contoso.com"},
        {"object_id_text": TARGET},
    ]
    changes = [a_tampering(f"t{n}", NOON + n * minute).model_copy(update=each) for n, each in enumerate(names)]
    flood = [a_tampering(f"x{n}", NOON + (n + 9) * minute) for n in range(9)]
    await ledger.commit(Case(target=TARGET), [a_head(), *changes, *flood], [])
    case = await ledger.tampering(TARGET, since=NOON, until=NOON + 60 * minute, limit=2, by=by, to=to)

    assert sorted(row.id for row in case.rows(Tampering)) == found


async def test_findings_of_the_history_about_an_incident(ledger: Ledger) -> None:
    found = [
        a_finding(finding_id=f"f{n}").model_copy(
            update={"incident_id": f"i{n % 2}", "effective_at": NOON + timedelta(minutes=n)}
        )
        for n in range(6)
    ]
    await ledger.commit(Case(target=TARGET), [a_head(), *found], [], {row.row_key: row.row_key for row in found})
    first = await ledger.findings(TARGET, "i1", NOON + timedelta(minutes=1), limit=1)
    second = await ledger.findings(TARGET, "i1", NOON, after=max(first.by_key), limit=9)

    assert (set(first.by_key), set(second.by_key)) == ({"finding-f3"}, {"finding-f5"})


async def test_notifications_that_were_delivered_before_a_moment(ledger: Ledger) -> None:
    notes = [
        Notification(id=f"n{n}", about="x", severity=Severity.INFO, title="t", text="t", target=TARGET, created_at=NOON)
        for n in range(3)
    ]
    places = {
        row.row_key: f"sent-{NOON + timedelta(days=n):%Y%m%dT%H%M%S}-{row.row_key}" for n, row in enumerate(notes)
    }
    await ledger.commit(Case(target=TARGET), [a_head(), *notes], [], places)

    assert set((await ledger.sent(TARGET, NOON + timedelta(days=2), 9)).by_key) == {
        "notification-n0",
        "notification-n1",
    }


async def test_the_head_alone(ledger: Ledger) -> None:
    await ledger.commit(Case(target=TARGET), [a_head(1), an_incident()], [an_entry(1)])

    assert await ledger.head(TARGET) == a_head(1)
    assert await ledger.head("unknown") == Head()

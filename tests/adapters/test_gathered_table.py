"""The evidence run's memory: the same facts hold for the fake and for table and blobs."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.adapters.gathered_table import CONTAINER, TableGatheredEvidence
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError
from bypass_responder.model.gathered import EvidencePlan
from bypass_responder.model.question import Empty, Found, Item
from bypass_responder.ports import GatheredEvidence
from tests.evidence.questions import an_inquiry
from tests.fakes import FakeGatheredEvidence
from tests.world import ALEX, START

ID = "20260302-00000001"
HOUR = timedelta(hours=1)


@pytest.fixture(params=["fake", "azurite"])
def gathered(request: pytest.FixtureRequest, tenant_id: str) -> GatheredEvidence:
    if request.param == "fake":
        return FakeGatheredEvidence()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableGatheredEvidence(clients.tables, clients.blobs, tenant_id)


def a_plan(incident_id: str = ID, **fields: Any) -> EvidencePlan:
    defaults: dict[str, Any] = {"target": ALEX, "opened_at": START, "next_at": START, "began_at": START}
    return EvidencePlan(incident_id=incident_id, **(defaults | fields))


async def due(gathered: GatheredEvidence, limit: int = 10) -> list[str]:
    return [plan.incident_id for plan in await gathered.due(START, limit)]


async def test_an_incident_has_one_plan(gathered: GatheredEvidence) -> None:
    added = [await gathered.add(a_plan()), await gathered.add(a_plan(next_at=None))]

    assert (added, await due(gathered)) == ([True, False], [ID])


async def test_plans_are_listed_by_the_opening_of_their_incident(gathered: GatheredEvidence) -> None:
    await gathered.add(a_plan("20260302-new"))
    await gathered.add(a_plan("20260301-old", opened_at=START - 24 * HOUR))

    assert await gathered.plans(START - HOUR) == {"20260302-new"}
    assert await gathered.plans(START - 48 * HOUR) == {"20260302-new", "20260301-old"}


async def test_what_has_waited_longest_is_due_first(gathered: GatheredEvidence) -> None:
    await gathered.add(a_plan("b", next_at=START - HOUR))
    await gathered.add(a_plan("a", next_at=START - 2 * HOUR))
    await gathered.add(a_plan("later", next_at=START + HOUR))
    await gathered.add(a_plan("done", next_at=None))

    assert (await due(gathered), await due(gathered, 1)) == (["a", "b"], ["a"])


async def test_a_plan_is_replaced_by_its_etag(gathered: GatheredEvidence) -> None:
    await gathered.add(a_plan())
    [plan] = await gathered.due(START, 1)
    await gathered.save(plan.model_copy(update={"next_at": None}))
    with pytest.raises(ConflictError):
        await gathered.save(plan)

    assert await due(gathered) == []


async def test_questions_are_started_once(gathered: GatheredEvidence) -> None:
    [first] = await gathered.start(ID, [an_inquiry()])
    await gathered.put(first.model_copy(update={"answer": Empty()}))
    found = await gathered.start(ID, [an_inquiry(), an_inquiry(source="inbox_rules")])

    assert {(each.source, each.answer) for each in found} == {("sign_ins", Empty()), ("inbox_rules", None)}


async def test_a_question_is_replaced_by_its_etag(gathered: GatheredEvidence) -> None:
    [first] = await gathered.start(ID, [an_inquiry()])
    await gathered.put(first.model_copy(update={"memo": "1"}))
    with pytest.raises(ConflictError):
        await gathered.put(first.model_copy(update={"memo": "2"}))

    assert [each.memo for each in await gathered.inquiries(ID)] == ["1"]


async def test_a_large_answer_comes_back_as_it_was(gathered: GatheredEvidence) -> None:
    item = Item(at=START, what="x" * 300, detail={f"field-{number}": "ü" * 300 for number in range(10)}, notable="new")
    answer = Found(count=50, items=(item,) * 50)
    [first] = await gathered.start(ID, [an_inquiry()])
    await gathered.put(first.model_copy(update={"answer": answer}))

    assert [each.answer for each in await gathered.inquiries(ID)] == [answer]


async def test_the_same_records_are_kept_once_under_their_hash(gathered: GatheredEvidence) -> None:
    kept = [await gathered.keep(ID, b"record"), await gathered.keep(ID, b"record")]

    assert kept[0] == kept[1]
    assert (kept[0].sha256, kept[0].length_bytes) == (hashlib.sha256(b"record").hexdigest(), 6)


async def test_what_is_old_is_deleted_with_its_questions(gathered: GatheredEvidence) -> None:
    for incident_id, opened_at in (("old", START - 48 * HOUR), (ID, START)):
        await gathered.add(a_plan(incident_id, opened_at=opened_at))
        await gathered.start(incident_id, [an_inquiry(incident_id=incident_id)])
    forgotten = [await gathered.forget(START - HOUR, 5), await gathered.forget(START - HOUR, 5)]

    assert forgotten == [1, 0]
    assert (await due(gathered), await gathered.inquiries("old")) == ([ID], [])
    assert len(await gathered.inquiries(ID)) == 1


async def test_raw_records_are_gzipped_and_deleted_with_their_incident(clients: StorageClients, tenant_id: str) -> None:
    gathered = TableGatheredEvidence(clients.tables, clients.blobs, tenant_id)
    await gathered.add(a_plan("old", opened_at=START - 48 * HOUR))
    kept = await gathered.keep("old", b"record")
    container = clients.blobs.get_container_client(CONTAINER)
    stored = await (await container.download_blob(str(kept.blob), decompress=False)).readall()
    await gathered.forget(START, 5)

    assert gzip.decompress(stored) == b"record"
    assert [blob.name async for blob in container.list_blobs(name_starts_with=f"{tenant_id}/")] == []

"""Answers about accounts: the same facts hold for the fake and for the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.adapters.inspection_table import TABLE, TableInspections
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.model.account import Account
from bypass_responder.model.inspection import Inspection
from bypass_responder.ports import Inspections
from tests.fakes import FakeInspections

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ID = "aaaaaaaa-0000-4000-8000-000000000001"
ODD = "someone_fabrikam.com#EXT#@contoso.onmicrosoft.com"


@pytest.fixture(params=["fake", "azurite"])
def inspections(request: pytest.FixtureRequest, tenant_id: str) -> Inspections:
    if request.param == "fake":
        return FakeInspections()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableInspections(clients.tables, tenant_id)


def an_answer(name: str = ODD, **fields: Any) -> Inspection:
    account = Account(object_id=ID, user_principal_name=ODD, account_enabled=True)
    return Inspection(**({"name": name, "at": NOON, "account": account} | fields))


async def test_there_is_none_before_the_first_question(inspections: Inspections) -> None:
    assert await inspections.of(ODD) is None


@pytest.mark.parametrize("name", [ODD, f" {ODD.upper()} ", ID, ID.upper(), "alias@contoso.onmicrosoft.com"])
async def test_an_answer_is_found_by_each_of_its_names(inspections: Inspections, name: str) -> None:
    saved = an_answer("alias@contoso.onmicrosoft.com")
    await inspections.save(saved)

    assert await inspections.of(name) == saved


async def test_the_last_answer_counts(inspections: Inspections) -> None:
    await inspections.save(an_answer())
    later = an_answer(ID, at=NOON + timedelta(hours=1), bypassed=True)
    await inspections.save(later)

    assert await inspections.of(ODD) == later


async def test_old_answers_are_forgotten_and_others_stay(inspections: Inspections) -> None:
    await inspections.save(an_answer())
    other = an_answer("nobody@contoso.onmicrosoft.com", account=None, at=NOON + timedelta(days=2))
    await inspections.save(other)
    await inspections.forget_before(NOON + timedelta(days=1))

    assert await inspections.of(ODD) is None
    assert await inspections.of(other.name) == other


async def test_a_row_that_was_edited_is_an_error(clients: StorageClients, tenant_id: str) -> None:
    stored = TableInspections(clients.tables, tenant_id)
    await stored.save(an_answer(account=None))
    table = clients.tables.get_table_client(TABLE)
    [row] = [each async for each in table.query_entities(f"PartitionKey eq '{tenant_id}'")]
    await table.upsert_entity({**row, "Body": "{}"})

    with pytest.raises(InputError):
        await stored.of(ODD)

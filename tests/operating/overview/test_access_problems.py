"""What the app could not reach at its last self-check, each with a fix."""

from __future__ import annotations

import pytest

from bypass_responder.model.self_check import Access, Place, Reach, SelfCheck, StorageCheck
from bypass_responder.operating.overview.access_problems import access_problems
from bypass_responder.rights import Api
from tests.fakes.self_check import a_token
from tests.world import START, TENANT


def a_check(*reaches: Reach, **fields: object) -> SelfCheck:
    tokens = (a_token(Api.GRAPH, tenant_id=TENANT), a_token(Api.MANAGEMENT, tenant_id=TENANT))
    given = {"at": START, "version": "1", "mode": "enforce", "tokens": tokens, "subscription": "enabled"}
    return SelfCheck.model_validate(given | {"storage": StorageCheck(reaches=reaches)} | fields)


def a_reach(name: str = "Ledger", access: Access = Access.OK, **fields: object) -> Reach:
    return Reach.model_validate({"place": Place.TABLE, "name": name, "access": access} | fields)


def test_an_app_in_order_has_none() -> None:
    assert list(access_problems(a_check(a_reach()))) == []


@pytest.mark.parametrize(
    ("check", "what", "fix"),
    [
        (
            a_check(a_reach(access=Access.FORBIDDEN)),
            "no Storage Table Data Contributor on the table Ledger",
            "azd provision",
        ),
        (a_check(a_reach(access=Access.MISSING)), "table Ledger: missing", "bypassctl doctor"),
        (a_check(a_reach("alerts-poison", place=Place.QUEUE, held=3)), "holds 3 messages", "bypassctl doctor"),
        (a_check(subscription="disabled"), "audit feed: disabled", "bypassctl doctor"),
        (a_check(tokens=(a_token(Api.GRAPH, tenant_id=TENANT, roles=()),)), "No User.Read.All", "bypassctl grant"),
        (
            a_check(tokens=(a_token(Api.GRAPH, tenant_id=TENANT, problem="none"),)),
            "No token for Microsoft",
            "azd provision",
        ),
    ],
)
def test_a_problem_has_its_fix(check: SelfCheck, what: str, fix: str) -> None:
    first = next(access_problems(check))

    assert what in first.what
    assert first.fix == fix

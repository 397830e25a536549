"""A question about a name becomes one about an object id, and about mail addresses."""

from __future__ import annotations

import pytest

from bypass_responder.adapters.graph_evidence.known_by_id import KnownById, WithAddresses
from bypass_responder.model.account import Account
from bypass_responder.model.question import Answer, AskedAccount, Empty, Question
from tests.evidence.questions import ACCOUNT, APPLICATION, a_question
from tests.fakes import FakeDirectory

NAME = ACCOUNT.user_principal_name
PERSON = Account(object_id=str(ACCOUNT.object_id), user_principal_name=NAME, account_enabled=True)


class Source:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def ask(self, question: Question, memo: str | None) -> Answer:
        self.asked.append(question)
        return Empty()


async def asked_about(account: AskedAccount, *known: Account) -> AskedAccount:
    source = Source()
    await KnownById(source, FakeDirectory(*known)).ask(a_question(account=account), None)
    return source.asked[0].account


async def test_a_name_gets_its_object_id() -> None:
    assert await asked_about(AskedAccount(user_principal_name=NAME), PERSON) == ACCOUNT


@pytest.mark.parametrize("account", [AskedAccount(user_principal_name="nobody@contoso.com"), APPLICATION, ACCOUNT])
async def test_every_other_account_stays_as_it_is(account: AskedAccount) -> None:
    assert await asked_about(account, PERSON) == account


@pytest.mark.parametrize(
    ("account", "addresses"),
    [
        (ACCOUNT, ("alex@contoso.com",)),
        (AskedAccount(user_principal_name=NAME), ("alex@contoso.com",)),
        (AskedAccount(user_principal_name="nobody@contoso.com"), None),
        (APPLICATION, None),
    ],
)
async def test_an_account_of_the_directory_gets_its_addresses(
    account: AskedAccount, addresses: tuple[str, ...] | None
) -> None:
    source, person = Source(), PERSON.model_copy(update={"mail": "alex@contoso.com"})
    await WithAddresses(source, FakeDirectory(person)).ask(a_question(account=account), None)

    assert source.asked[0].addresses == addresses

"""A decision in the console: sent once, by a person who may, about the state that was read.

Otherwise nothing is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.console.principal import HEADER, Role
from bypass_responder.model.change import Actor
from bypass_responder.model.decision_message import Author, Channel, DecisionKind
from tests.console.visitors import BASE, NAME, PERSON, a_header, visitor
from tests.handling.test_notification_commands import unresolved
from tests.world import ALEX, BLAKE, World, a_finding

if TYPE_CHECKING:
    import httpx

OTHER_TENANT = "99999999-1111-4111-8111-111111111111"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
BEARER = {"authorization": "Bearer x", "content-type": "application/json"}
SESSION = OWN | {"cookie": "AppServiceAuthSession=x"}


async def held() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    return world, f"/incidents/{incident.id}"


async def fields(browser: httpx.AsyncClient, page: str, decision: str = "approve") -> dict[str, str]:
    """The hidden fields of a form, as the page has them."""
    text = (await browser.get(page)).text
    [form] = re.findall(rf'<form method="post" action="{page}/{decision}">(.*?)</form>', text, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)) | {"reason": "CHG-7"}


async def tag(browser: httpx.AsyncClient, page: str) -> str:
    return (await browser.get(f"/api/v1{page}")).headers["etag"]


async def test_no_page_has_a_control_character_or_a_mark_of_direction_of_a_record() -> None:
    world = World()
    await world.sees(a_finding(first_run=True, actor=Actor(user_id="\u202egro.osotnoc\x1b[31m\x00")))
    page = f"/incidents/{(await world.incidents())[0].id}"
    async with visitor(world, Role.READ) as browser:
        texts = [(await browser.get(each)).text for each in ("/incidents", page)]

    assert all(r"\u202egro.osotnoc\x1b[31m\x00" in text for text in texts)
    assert not any(mark in text for text in texts for mark in "\u202e\x1b\x00")


# ---- forms -----------------------------------------------------------------------------------------------------------


async def test_a_form_sends_the_decision_with_its_verified_author() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        answer = await browser.post(f"{page}/approve", data=await fields(browser, page), headers=OWN)

    [message] = world.decisions.sent
    assert answer.status_code == 303
    assert (message.kind, message.target, message.reason) == (DecisionKind.APPROVE, ALEX, "CHG-7")
    assert (message.author.object_id, message.author.name) == (PERSON, NAME)


async def test_what_was_sent_is_carried_out_by_the_responder() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        await browser.post(f"{page}/approve", data=await fields(browser, page), headers=OWN)
        await world.delivers(world.decisions.sent[0], channel=Channel.CONSOLE)
        shown = (await browser.get(page)).text

    assert not world.directory.enabled[ALEX]
    assert f"{NAME} ({PERSON})" in shown


async def test_the_page_says_that_it_was_sent() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE, follow_redirects=True) as browser:
        answer = await browser.post(f"{page}/dismiss", data=await fields(browser, page, "dismiss"), headers=OWN)

    assert "Sent. The responder carries it out" in answer.text


async def outcome_shown(decision: str, **about: Any) -> str:
    """What the page that the form leads to shows after the answer."""
    world, page = await held()
    async with visitor(world, Role.DECIDE, follow_redirects=True) as browser:
        sent = await browser.post(f"{page}/{decision}", data=await fields(browser, page, decision), headers=OWN)
        [link] = re.findall(r'<a href="(\?sent=[^"]+)">Read the outcome</a>', sent.text)
        message = world.decisions.sent[0].model_copy(update=about)
        await world.delivers(message, channel=Channel.CONSOLE)
        return (await browser.get(f"{page}{link}")).text


async def test_the_page_shows_that_it_was_carried_out() -> None:
    text = await outcome_shown("dismiss")

    assert '<p role="status">Carried out at' in text
    assert "Sent. The responder" not in text


async def test_the_page_shows_that_it_was_refused_and_why() -> None:
    text = await outcome_shown("dismiss", author=Author(object_id=ALEX, name="alex"))

    assert '<p role="alert">Refused at' in text
    assert "cannot decide about it. Another person must." in text


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"token": None}, {}),
        ({"token": "forged"}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"origin": None}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({"seen": None}, {}),
        ({"seen": "0" * 32}, {}),
        ({"reason": None}, {}),
        ({"reason": "  "}, {}),
        ({"reason": "x" * 2001}, {}),
        ({"account": "not an id"}, {}),
    ],
    ids=str,
)
async def test_any_other_form_is_refused_and_sends_nothing(
    changed: dict[str, str | None], headers: dict[str, str | None]
) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given = {k: v for k, v in (await fields(browser, page) | changed).items() if v is not None}
        with_headers = {k: v for k, v in (OWN | headers).items() if v is not None}
        answer = await browser.post(f"{page}/approve", data=given, headers=with_headers)

    assert 400 <= answer.status_code < 500
    assert world.decisions.sent == []


async def test_a_replayed_form_is_refused() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given = await fields(browser, page)
        await browser.post(f"{page}/approve", data=given, headers=OWN)
        answer = await browser.post(f"{page}/approve", data=given, headers=OWN)

    assert answer.status_code == 403
    assert len(world.decisions.sent) == 1


async def test_a_form_that_was_answered_is_refused_by_another_instance() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser, visitor(world, Role.DECIDE) as other_instance:
        given = await fields(browser, page)
        await browser.post(f"{page}/approve", data=given, headers=OWN)
        await world.delivers(world.decisions.sent[0], channel=Channel.CONSOLE)
        answer = await other_instance.post(f"{page}/approve", data=given, headers=OWN)

    assert 400 <= answer.status_code < 500
    assert len(world.decisions.sent) == 1


async def test_the_form_of_another_person_is_refused() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given = await fields(browser, page)
        browser.headers[HEADER] = a_header(Role.DECIDE, claims={"oid": OTHER_TENANT})
        answer = await browser.post(f"{page}/approve", data=given, headers=OWN)

    assert answer.status_code == 403
    assert world.decisions.sent == []


async def test_a_state_that_has_changed_since_is_refused() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given = await fields(browser, page, "dismiss")
        await world.sees(a_finding())
        answer = await browser.post(f"{page}/dismiss", data=given, headers=OWN)

    assert answer.status_code == 412
    assert "has changed since you read it" in answer.text
    assert world.decisions.sent == []


async def test_nobody_decides_about_themselves() -> None:
    world, page = await held()
    async with visitor(world, header=a_header(Role.DECIDE, claims={"oid": ALEX})) as browser:
        answer = await browser.post(f"{page}/dismiss", data=await fields(browser, page, "dismiss"), headers=OWN)

    assert answer.status_code == 409
    assert "cannot decide about it" in answer.text
    assert world.decisions.sent == []


async def test_a_person_takes_an_incident_on() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        await browser.post(f"{page}/acknowledge", data=await fields(browser, page, "acknowledge"), headers=OWN)
        await world.delivers(world.decisions.sent[0], channel=Channel.CONSOLE)
        shown = (await browser.get(page)).text

    assert f"{NAME} has been handling it since" in shown


async def test_an_account_is_named_for_an_unresolved_incident() -> None:
    """The console has no directory: the responder looks the account up."""
    world = World()
    world.bypassed |= {ALEX: False, BLAKE: True}
    await world.sees(a_finding(identity_text="blake@contoso.onmicrosoft.com"))
    [incident] = [row for row in await world.incidents() if row.account is None]
    world.directory.calls.clear()
    async with visitor(world, Role.DECIDE) as client:
        given = BEARER | {"if-match": await tag(client, f"/incidents/{incident.id}")}
        body = {"reason": "CHG-7", "account": BLAKE}
        answer = await client.post(f"/api/v1/incidents/{incident.id}/approve", json=body, headers=given)

    assert answer.status_code == 202
    assert [message.account for message in world.decisions.sent] == [BLAKE]
    assert world.directory.calls == []


async def test_no_candidate_is_chosen_for_a_person() -> None:
    """The bypassed one comes first."""
    world = await unresolved()
    [target] = [each for each in await world.services.ledger.targets() if each.startswith("name-")]
    [incident] = await world.incidents(target)
    async with visitor(world, Role.DECIDE) as browser:
        page = (await browser.get(f"/incidents/{incident.id}")).text
    choices = page.partition("<select")[2].partition("</select>")[0]

    assert re.findall(r'<option value="([^"]*)"( selected)?>', choices) == [("", ""), (BLAKE, ""), (ALEX, "")]


# ---- the API ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [BEARER, SESSION], ids=["bearer token", "session of a browser"])
async def test_the_api_sends_a_decision(headers: dict[str, str]) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as client:
        given = headers | {"if-match": await tag(client, page)}
        answer = await client.post(f"/api/v1{page}/approve", json={"reason": "SOAR-1"}, headers=given)

    assert answer.status_code == 202
    assert [message.message_id for message in world.decisions.sent] == [answer.json()["message_id"]]


async def test_the_outcome_of_a_decision_has_an_address() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as client:
        given = BEARER | {"if-match": await tag(client, page)}
        where = (await client.post(f"/api/v1{page}/dismiss", json={"reason": "x"}, headers=given)).json()["outcome"]
        before = (await client.get(where)).json()["state"]
        await world.delivers(world.decisions.sent[0], channel=Channel.CONSOLE)
        after = (await client.get(where)).json()["state"]

    assert (before, after) == ("pending", "carried_out")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"if-match": None}, {"reason": "x"}),
        ({"if-match": '"outdated"'}, {"reason": "x"}),
        ({"authorization": None}, {"reason": "x"}),
        ({"cookie": "AppServiceAuthSession=x"}, {"reason": "x"}),
        ({"idempotency-key": "not a guid"}, {"reason": "x"}),
        ({}, {}),
        ({}, {"reason": "x", "unknown": 1}),
        ({}, {"reason": ""}),
        ({}, []),
    ],
    ids=str,
)
async def test_any_other_call_is_refused_and_sends_nothing(headers: dict[str, str | None], body: Any) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as client:
        given = BEARER | {"if-match": await tag(client, page)} | headers
        sent = {name: value for name, value in given.items() if value is not None}
        answer = await client.post(f"/api/v1{page}/approve", json=body, headers=sent)

    assert 400 <= answer.status_code < 500
    assert list(answer.json()) == ["error"]
    assert world.decisions.sent == []


@pytest.mark.parametrize("decision", ["dismiss", "close", "release", "acknowledge"])
async def test_an_account_with_any_other_decision_than_approve_is_refused(decision: str) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as client:
        given = BEARER | {"if-match": await tag(client, page)}
        body = {"reason": "x", "account": BLAKE}
        answer = await client.post(f"/api/v1{page}/{decision}", json=body, headers=given)

    assert answer.status_code == 400
    assert answer.json()["error"] == f"account: only approve names an account. Leave it out to {decision}."


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"content-type": "text/plain"}, "Send Content-Type: application/json."),
        ({"idempotency-key": "x"}, "Idempotency-Key is not a GUID."),
        ({"authorization": "Basic x"}, "send Authorization: Bearer TOKEN"),
    ],
)
async def test_an_answer_to_a_program_names_what_is_wrong_with_its_call(headers: dict[str, str], what: str) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as client:
        given = BEARER | {"if-match": await tag(client, page)} | headers
        answer = await client.post(f"/api/v1{page}/dismiss", content=b'{"reason": "x"}', headers=given)

    assert answer.status_code == 403
    assert what in answer.json()["error"]
    assert world.decisions.sent == []


async def test_a_form_on_an_address_of_the_api_is_refused() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given = SESSION | {"if-match": await tag(browser, page)}
        answer = await browser.post(f"/api/v1{page}/approve", data={"reason": "x"}, headers=given)

    assert 400 <= answer.status_code < 500
    assert world.decisions.sent == []


# ---- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["{page}/approve", "/api/v1{page}/approve"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (a_header(), 403),
        (a_header(Role.READ), 403),
        (a_header(Role.ALLOWLIST), 403),
        (a_header(Role.DECIDE, claims={"tid": OTHER_TENANT}), 401),
        ("forged", 401),
    ],
    ids=["no role", "Console.Read", "Console.Allowlist", "another tenant", "forged"],
)
async def test_only_those_decide_who_may(path: str, header: str, status: int) -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        given, if_match = await fields(browser, page), await tag(browser, page)
        browser.headers[HEADER] = header
        body: dict[str, Any] = {"json": {"reason": "x"}} if path.startswith("/api") else {"data": given}
        answer = await browser.post(path.format(page=page), headers=SESSION | {"if-match": if_match}, **body)

    assert answer.status_code == status
    assert world.decisions.sent == []


@pytest.mark.parametrize("role", [Role.READ, Role.ALLOWLIST])
async def test_who_may_not_decide_is_shown_no_form(role: Role) -> None:
    world, page = await held()
    async with visitor(world, role) as browser:
        text = (await browser.get(page)).text

    assert '<form method="post"' not in text


# ---- nobody decides about themselves ---------------------------------------------------------------------------------

APP = "abababab-0000-4000-8000-0000000000ab"


@pytest.mark.parametrize(
    "actor",
    [Actor(user_id="svc", app_id=APP), Actor(user_id=f"ServicePrincipal_{PERSON}"), Actor(object_id=PERSON)],
    ids=["by its app id", "by its service principal", "by its object id"],
)
async def test_an_application_decides_about_no_incident_that_names_it(actor: Actor) -> None:
    world = World()
    await world.sees(a_finding(first_run=True, actor=actor))
    [incident] = await world.incidents()
    page = f"/incidents/{incident.id}"
    header = a_header(Role.DECIDE, claims={"preferred_username": None, "azp": APP})
    async with visitor(world, header=header) as client:
        headers = BEARER | {"if-match": await tag(client, page)}
        answer = await client.post(f"/api/v1{page}/approve", json={"reason": "x"}, headers=headers)

    assert (answer.status_code, world.decisions.sent) == (409, [])

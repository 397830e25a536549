"""An allowlist edit in the console: shown first, then made once, by a person who may.

It is made only on the row that was shown.
"""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.console.principal import HEADER, Role
from bypass_responder.model.decision_message import Author, Channel
from bypass_responder.operating.allowlist.edit import make, plan_set
from bypass_responder.operating.inspect_account import inspect
from tests.console.visitors import BASE, NAME, PERSON, a_header, visitor
from tests.operating.allowlist.builders import delivers
from tests.world import ALEX, BLAKE, START, World, an_entry

if TYPE_CHECKING:
    import httpx

OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
BEARER = {"authorization": "Bearer x", "content-type": "application/json"}
ADD = {
    "account": "blake@contoso.onmicrosoft.com",
    "reason_class": "archiving",
    "justification": "journal archive",
    "owner": "ops@contoso.onmicrosoft.com",
    "ticket": "CHG-2",
    "expires": f"{START + timedelta(days=60):%Y-%m-%d}",
}
OTHER_EDITOR = Author(object_id="cccccccc-0000-4000-8000-000000000003", name="blair@contoso.onmicrosoft.com")
PLANS = {"set": {"owner": "new@contoso.onmicrosoft.com"}, "remove": {}, "keep": {}}


async def listed(*asked: str) -> World:
    """One entry; the responder has answered about some accounts."""
    world = World()
    await world.allowlist.put(an_entry())
    for name in asked:
        await world.inspections.save(await inspect(name, world.services))
    return world


async def form(browser: httpx.AsyncClient, action: str, object_id: str = ALEX, **query: str) -> dict[str, str]:
    """The hidden fields of the page that shows an edit."""
    text = (await browser.get(f"/allowlist/{object_id}/plan/{action}", params=query)).text
    return hidden(text, action) | {"reason": "CHG-7"}


def hidden(text: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts this action."""
    form = [*re.split(rf'action="[^"]*/{action}">', text, maxsplit=1), ""][1]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.split("</form>", 1)[0]))


async def test_showing_an_edit_changes_nothing() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await browser.get(f"/allowlist/{ALEX}/plan/remove")

    assert answer.status_code == 200
    assert await world.allowlist.get(ALEX) is not None
    assert world.decisions.sent == []


async def test_a_form_makes_the_edit_and_names_its_verified_author() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await browser.post(
            f"/allowlist/{ALEX}/set", data=await form(browser, "set", **PLANS["set"]), headers=OWN
        )
    entry: Any = await world.allowlist.get(ALEX)

    assert answer.status_code == 303
    assert (entry.owner, entry.edited_by, entry.via) == ("new@contoso.onmicrosoft.com", f"{NAME} ({PERSON})", "console")
    assert [message.author.object_id for message in world.decisions.sent] == [PERSON]


async def test_an_entry_is_added() -> None:
    world = await listed(BLAKE)
    async with visitor(world, Role.ALLOWLIST, follow_redirects=True) as browser:
        shown = await browser.get("/allowlist/add", params=ADD | {"object_id": BLAKE})
        fields = hidden(shown.text, "add")
        await browser.post(f"/allowlist/{BLAKE}/add", data=fields | {"reason": "CHG-2"}, headers=OWN)
    entry: Any = await world.allowlist.get(BLAKE)

    assert (entry.ticket, entry.owner) == ("CHG-2", "ops@contoso.onmicrosoft.com")


async def test_the_api_makes_the_edit() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as client:
        plan = await client.get(f"/api/v1/allowlist/{ALEX}/plan/remove")
        headers = BEARER | {"if-match": plan.headers["etag"]}
        answer = await client.post(f"/api/v1/allowlist/{ALEX}/remove", json={"reason": "gone"}, headers=headers)

    assert answer.status_code == 200
    assert await world.allowlist.get(ALEX) is None


async def test_a_row_that_was_changed_meanwhile_is_left_alone() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        fields = await form(browser, "remove")
        before: Any = await world.allowlist.get(ALEX)
        await world.allowlist.put(an_entry(ticket="CHG-9"), replaces=before.etag)
        answer = await browser.post(f"/allowlist/{ALEX}/remove", data=fields, headers=OWN)

    assert answer.status_code == 412
    assert await world.allowlist.get(ALEX) is not None
    assert world.decisions.sent == []


@pytest.mark.parametrize(
    "account", ["app", "<b>@contoso.example", "app\u202e@contoso.example", "app\0@contoso.example"]
)
async def test_an_account_is_added_under_a_user_principal_name_only(account: str) -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await browser.get(f"/api/v1/allowlist/{BLAKE}/plan/add", params=ADD | {"account": account})

    assert answer.status_code == 409
    assert "is not a user principal name" in answer.text


async def test_an_object_id_is_added_under_no_name_that_somebody_typed() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        plan = await browser.get(f"/api/v1/allowlist/{BLAKE}/plan/add", params=ADD)
        made = await browser.post(
            f"/api/v1/allowlist/{BLAKE}/add", json=ADD | {"reason": "x"}, headers=BEARER | {"if-match": "x"}
        )
        page = await browser.get("/allowlist/add", params=ADD | {"object_id": BLAKE})

    assert (plan.status_code, made.status_code) == (409, 409)
    assert "The console does not know whose account" in plan.text
    assert f'action="/accounts/{BLAKE}/inspect"' in page.text
    assert await world.allowlist.get(BLAKE) is None


async def test_an_answer_of_the_day_before_yesterday_adds_no_entry() -> None:
    world = await listed(BLAKE)
    world.now += timedelta(days=2)
    async with visitor(world, Role.ALLOWLIST) as browser:
        plan = await browser.get(f"/api/v1/allowlist/{BLAKE}/plan/add", params=ADD)

    assert plan.status_code == 409


async def test_nobody_allowlists_themselves() -> None:
    world = await listed(BLAKE)
    async with visitor(world, header=a_header(Role.ALLOWLIST, claims={"oid": BLAKE})) as browser:
        answer = await browser.get(f"/allowlist/{BLAKE}/plan/add", params=ADD)

    assert answer.status_code == 409
    assert "cannot allowlist their own account" in answer.text


@pytest.mark.parametrize("action", PLANS)
@pytest.mark.parametrize(
    ("header", "status"),
    [(a_header(), 403), (a_header(Role.READ), 403), (a_header(Role.DECIDE), 403), ("forged", 401)],
    ids=["no role", "Console.Read", "Console.Decide", "forged"],
)
async def test_only_those_edit_who_may(action: str, header: str, status: int) -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        fields = await form(browser, action, **PLANS[action])
        browser.headers[HEADER] = header
        answer = await browser.post(f"/allowlist/{ALEX}/{action}", data=fields, headers=OWN)

    assert answer.status_code == status
    assert world.decisions.sent == []


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"token": "forged"}, {}),
        ({"token": None}, {}),
        ({"seen": "other"}, {}),
        ({"reason": None}, {}),
        ({"expires": "tomorrow"}, {}),
        ({"owner": "no address"}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"sec-fetch-site": "cross-site"}),
    ],
    ids=str,
)
async def test_any_other_form_is_refused_and_changes_nothing(
    changed: dict[str, str | None], headers: dict[str, str]
) -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        fields: dict[str, str | None] = {**await form(browser, "set", **PLANS["set"]), **changed}
        given = {name: value for name, value in fields.items() if value is not None}
        answer = await browser.post(f"/allowlist/{ALEX}/set", data=given, headers=OWN | headers)
    entry: Any = await world.allowlist.get(ALEX)

    assert 400 <= answer.status_code < 500
    assert entry.owner == an_entry().owner
    assert world.decisions.sent == []


async def test_a_conflict_names_the_editor_and_both_states_and_keeps_what_was_typed() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser:
        fields = await form(browser, "set", ticket="CHG-MINE", owner="mine@contoso.com")
        theirs = await plan_set(ALEX, {"ticket": "CHG-THEIRS"}, world.services, author=OTHER_EDITOR)
        await make(theirs, world.services, author=OTHER_EDITOR, via="bypassctl", reason="r")
        answer = await browser.post(f"/allowlist/{ALEX}/set", data=fields | {"reason": "my reason"}, headers=OWN)
        [again] = re.findall(r'href="(/allowlist/[^"]+/plan/set[^"]*)"', answer.text)
        shown = await browser.get(html.unescape(again))

    assert answer.status_code == 412
    assert all(text in answer.text for text in (OTHER_EDITOR.name, "CHG-THEIRS", "CHG-MINE", "my reason"))
    assert all(text in shown.text for text in ("CHG-THEIRS", "CHG-MINE", "mine@contoso.com"))


async def test_a_replayed_form_is_refused() -> None:
    world = await listed()
    async with visitor(world, Role.ALLOWLIST) as browser, visitor(world, Role.ALLOWLIST) as other_instance:
        fields = await form(browser, "set", **PLANS["set"])
        answers = [
            await each.post(f"/allowlist/{ALEX}/set", data=fields, headers=OWN)
            for each in (browser, browser, other_instance)
        ]

    assert [answer.status_code for answer in answers] == [303, 403, 409]
    assert len(world.decisions.sent) == 1


@pytest.mark.parametrize("path", ["/allowlist.csv", "/log.csv"])
async def test_a_download_opens_in_excel_and_the_api_answers_plain_utf_8(path: str) -> None:
    async with visitor(await listed(), Role.READ) as browser:
        answers = [(await browser.get(f"{root}{path}")).content for root in ("", "/api/v1")]

    assert answers[0] == b"\xef\xbb\xbf" + answers[1]


async def test_the_export_is_csv() -> None:
    async with visitor(await listed(), Role.READ) as browser:
        answer = await browser.get("/allowlist.csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert ALEX in answer.text


# ---- approval and review


async def unapproved() -> World:
    """An entry of somebody else that does not count yet."""
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry(approved_by="adele@contoso.onmicrosoft.com"))
    await world.passes(minutes=1)
    return world


async def approval(browser: httpx.AsyncClient) -> dict[str, str]:
    """The hidden fields of the form that approves the entry."""
    text = (await browser.get(f"/allowlist/{ALEX}")).text
    form = text[text.index(f'action="/allowlist/{ALEX}/approve"') :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)[:2]) | {"reason": "CHG-7"}


async def test_another_person_approves_an_entry() -> None:
    world = await unapproved()
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await browser.post(f"/allowlist/{ALEX}/approve", data=await approval(browser), headers=OWN)
        await delivers(world, world.decisions.sent[-1], Channel.CONSOLE)
        shown = (await browser.get(f"/allowlist/{ALEX}")).text

    assert answer.status_code == 303
    assert "/approve" not in shown
    assert '<span class="badge valid">' in (await _list(world))


async def _list(world: World) -> str:
    async with visitor(world, Role.READ) as browser:
        return (await browser.get("/allowlist")).text


async def test_the_editor_cannot_approve_their_own_entry() -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry(approved_by=f"{NAME} ({PERSON})"))
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await browser.post(f"/allowlist/{ALEX}/approve", data=await approval(browser), headers=OWN)

    assert answer.status_code == 409
    assert world.decisions.sent == []


async def test_an_approval_of_a_row_that_was_changed_meanwhile_is_not_sent() -> None:
    world = await unapproved()
    async with visitor(world, Role.ALLOWLIST) as browser:
        fields = await approval(browser)
        before: Any = await world.allowlist.get(ALEX)
        await world.allowlist.put(an_entry(ticket="CHG-9"), replaces=before.etag)
        answer = await browser.post(f"/allowlist/{ALEX}/approve", data=fields, headers=OWN)

    assert answer.status_code == 412
    assert world.decisions.sent == []


async def test_the_api_approves_the_entry_that_was_read() -> None:
    world = await unapproved()
    async with visitor(world, Role.ALLOWLIST) as client:
        tag = (await client.get(f"/api/v1/allowlist/{ALEX}")).headers["etag"]
        headers = BEARER | {"if-match": tag}
        answer = await client.post(f"/api/v1/allowlist/{ALEX}/approve", json={"reason": "CHG-7"}, headers=headers)

    assert answer.status_code == 202
    assert world.decisions.sent[-1].message_id == answer.json()["message_id"]


@pytest.mark.parametrize("role", [Role.READ, Role.DECIDE])
async def test_only_who_may_edit_the_allowlist_approves_an_entry(role: Role) -> None:
    world = await unapproved()
    async with visitor(world, role) as browser:
        shown = (await browser.get(f"/allowlist/{ALEX}")).text
        answer = await browser.post(f"/allowlist/{ALEX}/approve", data={"reason": "x"}, headers=OWN)

    assert "/approve" not in shown
    assert answer.status_code == 403


async def test_the_review_lists_what_is_due_with_a_proposal() -> None:
    world = await listed()
    await world.allowlist.put(an_entry(BLAKE, reviewed_at=START, expires_at=START + timedelta(days=200)))
    async with visitor(world, Role.ALLOWLIST) as browser:
        due = (await browser.get("/api/v1/allowlist/review")).json()
        every = (await browser.get("/api/v1/allowlist/review", params={"all": "true"})).json()
        page = (await browser.get("/allowlist/review")).text

    assert [each["entry"]["object_id"] for each in due["entries"]] == [ALEX]
    assert (len(every["entries"]), every["total"]) == (2, 2)
    assert f"/allowlist/{ALEX}/plan/keep" in page

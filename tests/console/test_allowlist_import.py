"""An import in the console: a verdict for each row, and one confirmation of exactly this file.

Nothing is left half-written.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.console import allowlist_import
from bypass_responder.console.principal import HEADER, Role
from bypass_responder.errors import PermissionMissingError
from bypass_responder.model.decision_message import Channel
from bypass_responder.operating.allowlist.edit import plan_set
from tests.console.visitors import BASE, NAME, PERSON, a_header, visitor
from tests.operating.allowlist.builders import allowed, delivers, makes
from tests.world import ALEX, BLAKE, OPS, START, World, an_entry

if TYPE_CHECKING:
    import httpx

OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
BEARER = {"authorization": "Bearer x", "content-type": "application/json"}
HEAD = "object_id,account,reason_class,justification,owner,ticket,expires\r\n"
DAY = f"{START + timedelta(days=60):%Y-%m-%d}"
GOOD = f"{ALEX},alex@contoso.onmicrosoft.com,archiving,journal,ops@contoso.com,CHG-5,{DAY}\r\n"
BAD = f"{BLAKE},blake@contoso.onmicrosoft.com,archiving,journal,no address,CHG-5,{DAY}\r\n"


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


async def plan(browser: httpx.AsyncClient, data: bytes) -> httpx.Response:
    """Upload a file with the form of the page."""
    token = hidden((await browser.get("/allowlist/import")).text)["token"]
    files = {"file": ("allowlist.csv", data, "text/csv")}
    return await browser.post("/allowlist/import/plan", data={"token": token}, files=files, headers=OWN)


async def confirm(browser: httpx.AsyncClient, shown: httpx.Response, **changed: str) -> httpx.Response:
    return await browser.post("/allowlist/import", data=hidden(shown.text) | {"reason": "CHG-5"} | changed, headers=OWN)


async def rows(world: World) -> list[str]:
    return [row.object_id async for row in world.allowlist.entries()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_file_is_shown_then_written_as_it_was_shown(encoding: str) -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode(encoding))
        before = await rows(world)
        done = await confirm(browser, shown)
    entry: Any = await world.allowlist.get(ALEX)

    assert (shown.status_code, before) == (200, [])
    assert "Written: 1 row." in done.text
    assert (entry.ticket, entry.edited_by, entry.via) == ("CHG-5", f"{NAME} ({PERSON})", "console")


async def test_another_file_than_the_confirmed_one_is_not_written() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode())
        answer = await confirm(browser, shown, confirmed="0" * 64)

    assert answer.status_code == 409
    assert await rows(world) == []


@pytest.mark.parametrize("content", ["\u00e9!!", "no base64!", "YQ=\x00="])
async def test_a_hidden_file_that_somebody_changed_is_refused(content: str) -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode())
        answer = await confirm(browser, shown, content=content)

    assert answer.status_code == 400
    assert "did not arrive completely" in answer.text
    assert await rows(world) == []


async def test_an_entry_that_was_edited_after_the_plan_was_shown_is_kept_and_shown() -> None:
    world = World()
    await allowed(world)
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode())
        await makes(world, await plan_set(ALEX, {"ticket": "CHG-77"}, world.services, author=OPS))
        done = await confirm(browser, shown)
    entry: Any = await world.allowlist.get(ALEX)

    assert entry.ticket == "CHG-77"
    assert "ticket: CHG-77 → CHG-5" in done.text.partition("Not written: 1 row")[2].partition("</ul>")[0]


async def test_rejected_rows_are_shown_with_the_reason_and_left_out_only_on_request() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD + BAD).encode())
        refused = await confirm(browser, shown)
        again = await plan(browser, (HEAD + GOOD + BAD).encode())
        await confirm(browser, again, skip_rejected="yes")

    assert "is not an e-mail address" in shown.text
    assert refused.status_code == 409
    assert await rows(world) == [ALEX]


async def test_a_long_file_is_written_in_parts_by_the_same_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowlist_import, "WRITTEN_AT_ONCE", 1)
    world = World()
    both = HEAD + GOOD + BAD.replace("no address", "ops@contoso.com")
    async with visitor(world, Role.ALLOWLIST) as browser:
        first = await confirm(browser, await plan(browser, both.encode()))
        second = await confirm(browser, first)

    assert "Left: 1 row" in first.text
    assert "Nothing is left to write" in second.text
    assert await rows(world) == [ALEX, BLAKE]


async def test_a_confirmation_is_used_once() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode())
        await confirm(browser, shown)
        again = await confirm(browser, shown)

    assert again.status_code == 403


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Missing columns"),
        (b"name;color\r\na;b\r\n", "Unknown columns"),
        (HEAD.encode(), "no rows below its header"),
        (b"\xff\xfe\x00", "neither UTF-8 nor UTF-16"),
        (b"PK\x03\x04" + bytes(range(128, 256)), "neither UTF-8 nor UTF-16"),
    ],
    ids=["empty", "other columns", "no rows", "cut", "a workbook"],
)
async def test_a_file_that_cannot_be_read_is_one_sentence(data: bytes, sentence: str) -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        answer = await plan(browser, data)

    assert answer.status_code == 409
    assert sentence in answer.text


async def test_no_file_is_one_sentence() -> None:
    async with visitor(World(), Role.ALLOWLIST) as browser:
        token = hidden((await browser.get("/allowlist/import")).text)["token"]
        answer = await browser.post("/allowlist/import/plan", data={"token": token}, headers=OWN)

    assert answer.status_code == 400
    assert "Choose a CSV file" in answer.text


async def test_a_file_that_is_too_large_is_refused() -> None:
    async with visitor(World(), Role.ALLOWLIST) as browser:
        answer = await plan(browser, b"x" * (allowlist_import.MOST_BYTES + 1))

    assert answer.status_code == 409
    assert "Split it" in answer.text


async def test_a_form_that_is_too_large_is_not_read() -> None:
    async with visitor(World(), Role.ALLOWLIST) as browser:
        headers = OWN | {"content-type": "multipart/form-data; boundary=x", "content-length": "999999999"}
        answer = await browser.post("/allowlist/import/plan", content=b"--x--", headers=headers)

    assert answer.status_code == 413


# ---- rows without an object id, whose names only the responder can look up

BY_NAME = HEAD + GOOD.replace(ALEX, "")


def without_directory(world: World) -> None:
    world.directory.fail("find", PermissionMissingError("no right", permission="none"), always=True)


async def answered(world: World) -> None:
    """The responder, which may read the directory, answers what was asked."""
    world.directory.repair("find")
    for message in world.decisions.sent:
        await delivers(world, message, Channel.CONSOLE)
    without_directory(world)


async def ask(browser: httpx.AsyncClient, shown: httpx.Response, **more: str) -> httpx.Response:
    form = hidden(shown.text.partition('action="/allowlist/import/ask"')[2])
    return await browser.post("/allowlist/import/ask", data=form | more, headers=OWN)


async def test_a_name_that_the_console_cannot_look_up_is_asked_about_and_imported() -> None:
    world = World()
    without_directory(world)
    async with visitor(world, Role.ALLOWLIST) as browser:
        before = await plan(browser, BY_NAME.encode())
        asked = await ask(browser, before)
        await answered(world)
        after = await ask(browser, asked, again="yes")
        await confirm(browser, after)

    assert "Ask the responder, in the console" in before.text
    assert "Asked about 1 name." in asked.text
    assert ("Nothing is left to write" in asked.text, "Nothing can be written before the answer" in asked.text) == (
        False,
        True,
    )
    assert [message.asked for message in world.decisions.sent if message.asked] == ["alex@contoso.onmicrosoft.com"]
    assert await rows(world) == [ALEX]


async def test_an_answer_that_there_is_no_such_account_rejects_the_row() -> None:
    world = World()
    without_directory(world)
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, BY_NAME.replace("alex@", "nobody@").encode())
        asked = await ask(browser, shown)
        await answered(world)
        after = await ask(browser, asked, again="yes")

    assert "no account of this tenant has the user principal name" in after.text
    assert 'action="/allowlist/import/ask"' not in after.text


async def test_an_answer_of_the_day_before_yesterday_resolves_no_name() -> None:
    world = World()
    without_directory(world)
    async with visitor(world, Role.ALLOWLIST) as browser:
        await ask(browser, await plan(browser, BY_NAME.encode()))
        await answered(world)
        world.now += timedelta(days=2)
        shown = await plan(browser, BY_NAME.encode())

    assert "Ask the responder, in the console" in shown.text


async def test_a_name_that_two_entries_have_is_asked_about() -> None:
    world = World()
    without_directory(world)
    for object_id in (ALEX, BLAKE):
        await world.allowlist.put(an_entry(object_id, display_name="alex@contoso.onmicrosoft.com"))
    async with visitor(world, Role.ALLOWLIST) as browser:
        before = await plan(browser, BY_NAME.encode())
        await ask(browser, before)
        await answered(world)
        after = await plan(browser, BY_NAME.encode())

    assert "Ask the responder, in the console" in before.text
    assert "1 change" in after.text


async def test_the_api_asks_at_most_100_at_once() -> None:
    world = World()
    without_directory(world)
    names = (f"svc-{number}@contoso.onmicrosoft.com" for number in range(130))
    asked = {
        "csv": HEAD + "".join(GOOD.replace(ALEX, "").replace("alex@contoso.onmicrosoft.com", each) for each in names)
    }
    async with visitor(world, Role.ALLOWLIST) as client:
        planned = await client.post("/api/v1/allowlist/import/plan", json=asked, headers=BEARER)
        answer = await client.post("/api/v1/allowlist/import/ask", json=asked, headers=BEARER)

    assert len(planned.json()["ask"]) == 130
    assert (answer.status_code, answer.json(), len(world.decisions.sent)) == (202, {"sent": 100, "left": 30}, 100)


@pytest.mark.parametrize(
    ("header", "status"),
    [(a_header(), 403), (a_header(Role.READ), 403), (a_header(Role.DECIDE), 403), ("forged", 401)],
)
async def test_only_those_import_who_may(header: str, status: int) -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        shown = await plan(browser, (HEAD + GOOD).encode())
        browser.headers[HEADER] = header
        answer = await confirm(browser, shown)

    assert answer.status_code == status
    assert await rows(world) == []


async def test_the_api_plans_and_imports_the_same() -> None:
    world = World()
    await world.allowlist.put(an_entry(BLAKE))
    async with visitor(world, Role.ALLOWLIST) as client:
        asked = {"csv": HEAD + GOOD}
        planned = await client.post("/api/v1/allowlist/import/plan", json=asked, headers=BEARER)
        wanted = asked | {"confirmed": planned.json()["confirmation"], "reason": "CHG-5"}
        done = await client.post("/api/v1/allowlist/import", json=wanted, headers=BEARER)

    assert [row["verdict"] for row in planned.json()["rows"]] == ["add"]
    assert (done.json()["written"], done.json()["left"]) == (1, 0)
    assert await rows(world) == [ALEX, BLAKE]

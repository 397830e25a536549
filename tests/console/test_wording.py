"""The console names its buttons and pages where bypassctl has commands."""

from __future__ import annotations

import pytest

from bypass_responder.case.tasks import decide, show
from bypass_responder.console.principal import Role
from bypass_responder.console.wording import in_console
from tests.console.test_decisions import held
from tests.console.visitors import visitor

ID = "20260302-0a1b2c3d"


@pytest.mark.parametrize(
    ("verb", "button"),
    [
        ("approve", "first button"),
        ("dismiss", "button *Dismiss*"),
        ("close", "button *Close*"),
        ("release", "button *Release*"),
        ("ack", "button *I have it*"),
    ],
)
def test_a_decision_is_a_button(verb: str, button: str) -> None:
    assert in_console(str(decide(verb, ID, "To decide", account="alex@contoso.com" if verb == "approve" else ""))) == (
        f"To decide: use the {button} on the page of the incident"
    )


def test_what_shows_an_incident_is_its_page() -> None:
    assert in_console(f"{show(ID)}. Then go on.") == "Read the rest: see the page of the incident. Then go on."


@pytest.mark.parametrize("text", ["bypassctl incidents show X is a command", "Fix it: bypassctl log verify", ""])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert in_console(text) == text


async def test_what_is_left_to_do_names_no_command_that_is_a_button() -> None:
    world, page = await held()
    async with visitor(world, Role.DECIDE) as browser:
        text = (await browser.get(page)).text
    left = text.partition("<h2>Left to do</h2>")[2].partition("</ul>")[0]

    assert "use the first button on the page of the incident" in left
    assert "use the button *Dismiss* on the page of the incident" in left
    assert "bypassctl incidents" not in left

"""The twelve lines for a ticket."""

from __future__ import annotations

from bypass_responder.model.change import Actor
from bypass_responder.operating.incidents.ticket import ticket
from tests.operating.incidents import scenes


async def test_the_lines_answer_who_when_what_and_what_next() -> None:
    shown = await scenes.view(await scenes.contained())

    assert ticket(shown) == (
        f"Incident: {shown.id}, contained, opened 2026-03-02 09:00:00Z",
        f"State: {shown.state}",
        "Account: alex@contoso.onmicrosoft.com (aaaaaaaa-0000-4000-8000-000000000001)",
        "Actor: mallory@contoso.onmicrosoft.com from 203.0.113.7:4711",
        "Decision: violation: not on the allowlist",
        "Actions: Block sign-in: effective; Revoke sessions: effective; Remove bypass: effective",
        "Bypass: off, as of 2026-03-02 09:00:00Z",
        "Blind window: 2026-03-02 08:50:00Z … 2026-03-02 09:00:00Z (10 min)",
        f"Gap: {shown.blind.gap}",
        "People: no decision yet",
        f"Next: {shown.next.text}",
        f"Read: 2026-03-02 09:00:10Z. Details: bypassctl incidents show {shown.id}",
    )


async def test_a_name_with_line_breaks_and_hidden_marks_adds_no_line() -> None:
    shown = await scenes.view(await scenes.contained())
    hostile = shown.model_copy(update={"actors": (Actor(user_id="eve\nState: all clear\u202e"),), "verdict": "a\rb"})

    lines = ticket(hostile)

    assert len(lines) == 12
    assert [line for line in lines if not line.isprintable()] == []

"""Builders of questions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bypass_responder.model.gathered import Inquiry, Round
from bypass_responder.model.question import AskedAccount, Question, Role
from tests.world import ALEX, START

ACCOUNT = AskedAccount(object_id=ALEX, user_principal_name="alex@contoso.onmicrosoft.com")
APPLICATION = AskedAccount(app_id="3f2a0d5e-4d52-4f7e-9a43-0a4a5a6f0b11", application=True)
HOME = "contoso.onmicrosoft.com"
DAY = timedelta(days=1)


def a_question(**fields: Any) -> Question:
    """About ALEX, who was dark for an hour before START."""
    defaults: dict[str, Any] = {
        "incident_id": "20260302-00000001",
        "source": "sign_ins",
        "account": ACCOUNT,
        "role": Role.TARGET,
        "dark_from": START - timedelta(hours=1),
        "dark_until": START,
        "start": START - timedelta(hours=1) - DAY,
        "end": START + DAY,
        "known_from": START - timedelta(hours=1) - 8 * DAY,
    }
    return Question(**(defaults | fields))


def an_inquiry(**fields: Any) -> Inquiry:
    defaults: dict[str, Any] = {
        "incident_id": "20260302-00000001",
        "round": Round.OPENED,
        "source": "sign_ins",
        "role": Role.TARGET,
        "account": ACCOUNT,
        "next_at": START,
    }
    return Inquiry(**(defaults | fields))


def at(hours: float) -> str:
    """A time so many hours after the blind window began, which took one, as Graph writes it."""
    return f"{a_question().dark_from + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"

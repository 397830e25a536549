from __future__ import annotations

import pytest

from bypass_responder.evidence.risk import risks_of
from bypass_responder.model.question import Found
from tests.evidence.questions import a_question, at


@pytest.mark.parametrize(("state", "notable"), [("atRisk", "risk: leakedCredentials"), ("dismissed", None)])
def test_a_risk_is_notable_unless_dismissed(state: str, notable: str | None) -> None:
    detection = {"riskEventType": "leakedCredentials", "riskState": state, "activityDateTime": at(0.5)}
    answer = risks_of([detection], a_question())

    assert isinstance(answer, Found)
    assert answer.items[0].notable == notable

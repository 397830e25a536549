from __future__ import annotations

import pytest

from bypass_responder.evidence.other_workloads import activity_of
from bypass_responder.model.question import Found
from tests.evidence.questions import a_question, at


@pytest.mark.parametrize(
    ("operation", "hours", "reason"),
    [
        ("FileDownloaded", 0.5, "downloads in the blind window: 1"),
        ("FileDownloaded", 20, None),
        ("AnonymousLinkCreated", 20, "shares files"),
        ("FileAccessed", 0.5, None),
    ],
)
def test_downloads_and_shares_are_notable(operation: str, hours: float, reason: str | None) -> None:
    record = {"Operation": operation, "Workload": "OneDrive", "CreationTime": at(hours)}
    answer = activity_of([record], a_question())

    assert isinstance(answer, Found)
    assert answer.items[0].notable == reason

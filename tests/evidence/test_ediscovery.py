from __future__ import annotations

import pytest

from bypass_responder.evidence.ediscovery import searches_of
from bypass_responder.model.question import Found
from tests.evidence.questions import a_question, at


@pytest.mark.parametrize(
    ("operation", "hours", "reason"),
    [
        ("SearchExported", 0.5, "export of search results, in the blind window"),
        ("SearchExportDownloaded", 20, "download of exported mail"),
        ("SearchCreated", 0.5, None),
    ],
)
def test_an_export_is_notable(operation: str, hours: float, reason: str | None) -> None:
    answer = searches_of([{"Operation": operation, "CreationTime": at(hours)}], a_question())

    assert isinstance(answer, Found)
    assert answer.items[0].notable == reason

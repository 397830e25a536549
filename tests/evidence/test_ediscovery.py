from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.case.gathered_evidence import follow_on
from bypass_responder.evidence.ediscovery import searches_of
from bypass_responder.model.question import Found, Item
from tests.evidence.questions import a_question, an_inquiry, at


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


ACTION = {"Operation": "New-ComplianceSearchAction", "CreationTime": at(0.5), "UserId": "mallory@contoso.com"}


def named(name: str) -> list[dict[str, Any]]:
    """One action, with the name of its search in each of the ways in which a record has it."""
    parameters = [{"Name": "SearchName", "Value": name}, {"Name": "Export", "Value": "True"}]
    return [
        ACTION | {"Parameters": parameters},
        ACTION | {"Parameters": json.dumps(parameters)},
        ACTION | {"Parameters": f'-SearchName "{name}" -Export'},
        ACTION | {"Parameters": f"-Export -searchname:'{name}' -Format FxStream"},
        ACTION | {"SearchName": name},
    ]


def items(record: dict[str, Any]) -> tuple[Item, ...]:
    answer = searches_of([record], a_question())
    assert isinstance(answer, Found)
    return answer.items


@pytest.mark.parametrize("shape", range(5))
def test_two_searches_that_differ_in_their_name_are_two_facts(shape: int) -> None:
    found = (*items(named("Board mail")[shape]), *items(named("CEO mail")[shape]))

    assert [item.detail["search"] for item in found] == ["Board mail", "CEO mail"]
    assert len(follow_on([an_inquiry(answer=Found(count=2, items=found))])) == 2


def test_a_search_without_a_name_has_none() -> None:
    assert "search" not in items(ACTION | {"Parameters": "-Export -Format"})[0].detail

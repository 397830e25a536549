from __future__ import annotations

import pytest

from bypass_responder.evidence.graph_calls import calls_of, kind_of, path_of
from bypass_responder.model.question import Found
from tests.evidence.questions import a_question, at

ROOT = "https://graph.microsoft.com/v1.0"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1.0/me/messages/AAMkAG/$value", "mail read"),
        ("/v1.0/users/x/mailFolders('inbox')/messages/delta", "mail read"),
        ("/v1.0/me/mailFolders/inbox/messageRules", "rules or settings of a mailbox"),
        ("/v1.0/me/sendMail", "mail sent"),
        ("/v1.0/me/messages/AAMkAG/forward", "mail sent"),
        ("/v1.0/chats/19:1@thread.v2/messages", "chat read"),
        ("/v1.0/teams/1/channels/2/messages", "chat read"),
        ("/v1.0/drives/1/items/2/content", "file download"),
        ("/v1.0/search/query", "search"),
        ("/v1.0/me", ""),
        ("/v1.0/users", ""),
    ],
)
def test_the_path_says_what_was_read(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_what_was_searched_for_is_dropped() -> None:
    assert path_of(f"{ROOT}/me/messages?$search=%22subject:secret%22") == "/v1.0/me/messages"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"{ROOT}/me/drive/root/search(q='salaries')", "/v1.0/me/drive/root/search(…)"),
        (f"{ROOT}/me/drive/root/microsoft.graph.search(q='a)/b')/x", "/v1.0/me/drive/root/microsoft.graph.search(…)/x"),
        (f"{ROOT}/me/messages%3F$search=%22subject:salaries%22", "/v1.0/me/messages"),
        (f"{ROOT}/me/messages%253F$search=salaries", "/v1.0/me/messages"),
        (f"{ROOT}/me/messages/$search=salaries", "/v1.0/me/messages"),
        (f"{ROOT}/me/messages&%24search=%22salaries%22", "/v1.0/me/messages"),
        (f"{ROOT}/me/drive/root/search%28q='salaries'%29", "/v1.0/me/drive/root/search(…)"),
        (f"{ROOT}/me/drive/root/search(q='salaries of", "/v1.0/me/drive/root/search(…)"),
        (f"{ROOT}/me/drive/root/search(q='what? salaries')", "/v1.0/me/drive/root/search(…)"),
        (f"{ROOT}/me/messages#subject:salaries", "/v1.0/me/messages"),
        ("https://[graph/me/messages?$search=salaries", "https://[graph/me/messages"),
    ],
)
def test_what_was_searched_for_is_dropped_wherever_it_stands(uri: str, path: str) -> None:
    assert path_of(uri) == path


def test_calls_of_a_kind_are_one_item() -> None:
    rows = [
        {"Timestamp": at(hours), "RequestMethod": "GET", "RequestUri": f"{ROOT}/me/messages/{hours}"}
        for hours in (0.2, 0.5, 5)
    ]
    answer = calls_of(rows, a_question())

    assert isinstance(answer, Found)
    assert [(item.what, item.detail["records"], item.notable) for item in answer.items] == [
        ("GET mail read", "3", "mail read over Microsoft Graph, in the blind window: 2")
    ]


def test_other_calls_are_one_item_for_each_path() -> None:
    rows = [
        {"Timestamp": at(0.5), "RequestMethod": "GET", "RequestUri": f"{ROOT}/users/{guid}"}
        for guid in ("a88ae17c-f562-4c1f-a377-8910b6847d76", "b88ae17c-f562-4c1f-a377-8910b6847d76")
    ]
    answer = calls_of(rows, a_question())

    assert isinstance(answer, Found)
    assert [(item.what, item.notable) for item in answer.items] == [("GET /v1.0/users/…", None)]


def test_a_refused_call_read_nothing() -> None:
    row = {"Timestamp": at(5), "RequestUri": f"{ROOT}/me/messages"}
    answer = calls_of([row | {"ResponseStatusCode": "200"}, row | {"ResponseStatusCode": 403}], a_question())

    assert isinstance(answer, Found)
    assert [item.notable for item in answer.items] == [
        "mail read over Microsoft Graph",
        "mail read over Microsoft Graph (failed)",
    ]

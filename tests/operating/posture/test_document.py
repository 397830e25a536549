"""The JSON: everything, and a partial read named."""

from __future__ import annotations

import json
from typing import Any

from bypass_responder.operating.posture.document import document_lines
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.read import TenantRead
from tests.operating.posture.reports import ARCHIVE, partial, report_of, with_archive
from tests.posture.mailboxes import CASES, object_id


def document_of(report: PostureReport) -> dict[str, Any]:
    """The object that the text has."""
    document: dict[str, Any] = json.loads("".join(document_lines(report)))
    return document


def test_it_is_json_with_every_mailbox() -> None:
    document = document_of(report_of())

    assert len(document["mailboxes"]) == len(CASES)
    assert document["format"] == "bypass-responder/posture/1"


def test_without_a_mailbox_it_is_json_too() -> None:
    assert document_of(report_of(read=TenantRead("test")))["mailboxes"] == []


def test_a_mailbox_has_what_decides() -> None:
    [mailbox] = document_of(report_of(CASES[6]))["mailboxes"]

    assert mailbox["object_id"] == object_id(0)
    assert mailbox["logon_types"]["Owner"]["missing"]["microsoft"] == ["MailItemsAccessed"]
    assert mailbox["logon_types"]["Owner"]["pinned"]
    assert not mailbox["logon_types"]["Admin"]["pinned"]
    assert mailbox["issues"] == ["no MailItemsAccessed", "actions missing", "pinned"]


def test_a_partial_read_is_named() -> None:
    document = document_of(report_of(read=partial()))

    assert (document["complete"], document["clean"]) == (False, False)
    assert document["problems"] == ["the worker was throttled"]


def test_bypassed_accounts_without_a_mailbox_are_listed() -> None:
    [account] = document_of(report_of(read=with_archive()))["bypassed_without_mailbox"]

    assert account["object_id"] == ARCHIVE


def test_what_to_do_comes_with_its_fix_the_worst_first() -> None:
    to_do = document_of(report_of())["to_do"]

    assert to_do[0]["issue"] == "bypassed"
    assert all(each["fix"] and each["meaning"] for each in to_do)


def test_the_baselines_name_their_sources() -> None:
    assert [each["kind"] for each in document_of(report_of())["baselines"]] == ["microsoft", "cis", "possible"]

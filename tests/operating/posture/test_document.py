"""The JSON: everything, and a partial read named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bypass_responder.operating.posture.document import document_lines
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.fixes import fix_of
from bypass_responder.posture.read import TenantRead
from bypass_responder.posture.verdict import Issue
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


@pytest.mark.parametrize(
    ("source", "chosen", "command"),
    [
        ("the Exchange worker", "microsoft", "bypassctl posture plan -o plan.json"),
        ("files", "microsoft", "bypassctl posture plan FILE... -o plan.json"),
        ("files", "cis", "bypassctl posture plan FILE... --baseline cis -o plan.json"),
    ],
)
def test_a_fix_is_for_the_source_and_the_baseline(source: str, chosen: str, command: str) -> None:
    found = replace(report_of().found, source=source, measures=measures(chosen))

    assert fix_of(Issue.PINNED, found).startswith(f"{command}, where")
    assert "{" not in "".join(fix_of(issue, found) for issue in Issue)


def test_the_age_limit_of_a_baseline_is_in_its_fix() -> None:
    found = replace(report_of().found, source="files", measures=measures("cis"))

    assert fix_of(Issue.SHORT_AGE_LIMIT, found).endswith(" --baseline cis -o plan.json --age-limit 180")


def test_the_baselines_name_their_sources() -> None:
    assert [each["kind"] for each in document_of(report_of())["baselines"]] == ["microsoft", "cis", "possible"]

"""What a tool accepts in an allowlist entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.base import expiry_of, expiry_text, until
from bypass_responder.operating.allowlist.rules import Fields, problems_of
from tests.world import START, some_settings

LINK = "https://vendor.contoso.com/docs/audit"


def some_fields(**given: Any) -> Fields:
    defaults: dict[str, Any] = {
        "reason_class": "archiving",
        "justification": "journal archive",
        "owner": "ops@contoso.com",
        "ticket": "CHG-1",
        "expires_at": START + timedelta(days=30),
    }
    return Fields(**(defaults | given))


def problems(before: Fields | None = None, settings: dict[str, Any] | None = None, **given: Any) -> list[str]:
    return problems_of(some_fields(**given), some_settings(**(settings or {})), now=START, before=before)


def test_a_complete_entry_has_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"owner": "not an address"}, "is not an e-mail address"),
        ({"owner": ""}, "owner is empty"),
        ({"ticket": "  "}, "ticket is empty"),
        ({"reason_class": "because"}, "use one of archiving"),
        ({"justification": "x" * 1001}, "at most 1000"),
        ({"justification": "<script>alert(1)</script>"}, "markup (<s"),
        ({"ticket": "CHG-1\u202e2"}, "U+202E"),
        ({"ticket": "CHG-1\x00"}, "U+0000"),
        ({"justification": "two\nlines"}, "U+000A"),
        ({"reason_class": "vendor"}, "vendor needs documentation"),
        ({"reason_class": "vendor", "documentation": "http://vendor.contoso.com"}, "is not an https:// link"),
        ({"documentation": "https://user@vendor.contoso.com/"}, "is not an https:// link"),
        ({"expires_at": START - timedelta(days=1)}, "out of range"),
        ({"expires_at": START + timedelta(days=368)}, "366 days ahead"),
    ],
)
def test_a_problem_names_the_field_and_the_fix(given: dict[str, Any], word: str) -> None:
    [problem] = problems(**given)

    assert word in problem


def test_less_than_is_no_markup() -> None:
    assert problems(justification="retention < 7 years") == []


def test_a_vendor_with_a_link_is_accepted() -> None:
    assert problems(reason_class="vendor", documentation=LINK) == []


@pytest.mark.parametrize(("days", "wrong"), [(89, False), (92, True)])
def test_the_longest_life_depends_on_the_reason(days: int, wrong: bool) -> None:
    settings = {"allowlist_longest_days": "180, vendor=90"}
    given: dict[str, Any] = {
        "reason_class": "vendor",
        "documentation": LINK,
        "expires_at": START + timedelta(days=days),
    }

    assert bool(problems(settings=settings, **given)) is wrong


def test_a_field_that_stays_is_not_judged_again() -> None:
    """An entry that was typed in a storage tool can be extended without correcting all of it."""
    before = some_fields(owner="the archive team", reason_class="journaling", expires_at=START - timedelta(days=1))

    assert problems(before, owner="the archive team", reason_class="journaling") == []


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is given
def test_an_expiry_reads_back_as_it_was_written(moment: datetime) -> None:
    assert expiry_of(expiry_text(moment)) == moment


def test_a_day_ends_with_its_last_second() -> None:
    assert expiry_of("2027-01-31") == datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC), "2027-01-31"),
        (datetime(2027, 1, 31, tzinfo=UTC), "2027-01-31 00:00:00Z"),
    ],
)
def test_people_read_a_day_only_where_all_of_it_is_valid(at: datetime, text: str) -> None:
    assert until(at) == text


@pytest.mark.parametrize(
    "text", ["", "soon", "31.01.2027", "2027-02-30", "20270131x", "20270131", "2027-W04-7", "2027-W04", "2027-01-31T10"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert expiry_of(text) is None

"""When a stored read is complete, and what it can be compared with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.exchange_read import Recipients
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.posture.stored import MAILBOXES, PostureRead, complete_at
from tests.operating.posture.reports import partial, report_of
from tests.posture.mailboxes import CASES, ON
from tests.world import START

DAY = timedelta(days=1)


def a_stored(days: int = 0, **fields: Any) -> PostureRead:
    at = START - days * DAY
    defaults = {"id": f"read-{days}", "results": (), "bypassed_read": True, "organization": ON}
    return PostureRead(**defaults | {"read_at": at, "ended_at": at} | fields)


def test_a_read_whose_comparison_is_partial_is_not_complete() -> None:
    whole, lacking = report_of(CASES[0]), report_of(read=partial())

    assert a_stored(overview=overview_of(whole)).complete
    assert not a_stored(overview=overview_of(lacking)).complete
    assert not a_stored(problems=("throttled",), overview=overview_of(whole)).complete


@pytest.mark.parametrize(("problems", "types"), [((), MAILBOXES), (("throttled",), frozenset())])
def test_of_a_row_of_an_earlier_version_only_a_complete_read_is_compared(
    problems: tuple[str, ...], types: frozenset[Recipients]
) -> None:
    assert a_stored(problems=problems).comparable_types() == types
    assert a_stored(problems=problems).whole_types() == types


def test_without_a_complete_read_it_is_as_old_as_the_first() -> None:
    broken: dict[str, Any] = {"problems": ("throttled",)}

    assert complete_at(a_stored(**broken), [a_stored(1, **broken), a_stored(9, **broken)]) == START - 9 * DAY
    assert complete_at(a_stored(**broken), [a_stored(1), a_stored(9)]) == START - DAY
    assert complete_at(a_stored(**broken), [a_stored(1, **broken, complete_at=START - 5 * DAY)]) == START - 5 * DAY

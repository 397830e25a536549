"""Which alerts a read raises: many changes at once, a default set that was left, partial for a week."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from bypass_responder.operating.posture.alerts import MANY, WEEK, alerts_of
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.authors import PlannedSettings
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.mailbox import Mailbox, settings_of
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import TenantRead
from bypass_responder.posture.stored import PostureRead
from tests.operating.posture.scenes import read_of
from tests.posture.mailboxes import CASES, ON, a_read
from tests.world import START, World

ONE = a_read(CASES[:1]).mailboxes[0]
DAY = timedelta(days=1)


def mailboxes(count: int) -> list[Mailbox]:
    return [ONE._replace(object_id=f"00000000-0000-4000-8000-{number:012}") for number in range(count)]


def report_of(
    now: list[Mailbox], before: list[Mailbox], planned: Mapping[str, PlannedSettings] | None = None
) -> PostureReport:
    read = TenantRead("the worker", START, mailboxes=now, bypassed=[], organization=ON)
    earlier = Before(START - DAY, [*before])
    return PostureReport(compare(read, measures(), before=earlier, planned=planned or {}), START)


def a_stored(days: int, *problems: str) -> PostureRead:
    overview = overview_of(report_of(mailboxes(1), []))
    return read_of(World(), id=f"read-{days}", read_at=START - days * DAY, problems=problems, overview=overview)


def shorter(mailbox: Mailbox) -> Mailbox:
    return mailbox._replace(audit=mailbox.audit._replace(age_limit="30.00:00:00"))


def pinned(mailbox: Mailbox) -> Mailbox:
    return mailbox._replace(audit=mailbox.audit._replace(default_set=("Admin", "Delegate")))


def maintained(mailbox: Mailbox) -> Mailbox:
    return mailbox._replace(audit=mailbox.audit._replace(default_set=("Admin", "Delegate", "Owner")))


def test_a_read_without_changes_raises_nothing() -> None:
    assert alerts_of(report_of(mailboxes(20), mailboxes(20)), [a_stored(0)], START) == {}


def test_many_changes_at_once_are_an_alert() -> None:
    before = mailboxes(20)
    now = [*map(shorter, before[:MANY]), *before[MANY:]]
    found = alerts_of(report_of(now, before), [a_stored(0)], START)

    assert found.keys() == {"posture_drift"}
    assert f"The audit settings of {MANY} mailboxes changed" in found["posture_drift"]


@pytest.mark.parametrize(("change", "alert"), [(shorter, "posture_drift"), (pinned, "posture_default_left")])
def test_what_a_plan_or_its_undo_has_set_is_no_alert(change: Callable[[Mailbox], Mailbox], alert: str) -> None:
    before = mailboxes(MANY)
    now = [*map(change, before)]
    planned = {each.object_id or "": PlannedSettings(settings_of(each.audit), "plan run 1: CHG-1") for each in now}

    assert alert in alerts_of(report_of(now, before), [a_stored(0)], START)
    assert alerts_of(report_of(now, before, planned), [a_stored(0)], START) == {}
    assert {
        str(each).rpartition(", by ")[2] for row in report_of(now, before, planned).rows for each in row.changed
    } == {"plan run 1: CHG-1"}


def test_what_was_changed_after_a_plan_is_an_alert() -> None:
    before = mailboxes(MANY)
    planned = {each.object_id or "": PlannedSettings(settings_of(each.audit), "plan run 1: CHG-1") for each in before}

    assert "posture_drift" in alerts_of(report_of([*map(shorter, before)], before, planned), [a_stored(0)], START)


def test_few_changes_are_only_in_the_report() -> None:
    before = mailboxes(20)
    now = [*map(shorter, before[: MANY - 1]), *before[MANY - 1 :]]

    assert alerts_of(report_of(now, before), [a_stored(0)], START) == {}


def test_a_default_set_that_is_left_is_an_alert_with_the_mailbox() -> None:
    before = [*map(maintained, mailboxes(2))]
    found = alerts_of(report_of([pinned(before[0]), before[1]], before), [a_stored(0)], START)

    assert found.keys() == {"posture_default_left"}
    assert before[0].name in found["posture_default_left"]


def test_a_return_to_the_default_set_is_none() -> None:
    before = [*map(pinned, mailboxes(2))]

    assert alerts_of(report_of([*map(maintained, before)], before), [a_stored(0)], START) == {}


def test_reads_that_are_partial_for_a_week_are_an_alert_with_the_reason() -> None:
    reads = [a_stored(0, "group: throttled"), a_stored(7)]

    assert "group: throttled" in alerts_of(report_of([], []), reads, START)["posture_partial"]


def test_within_a_week_a_partial_read_is_none() -> None:
    reads = [a_stored(0, "group: throttled"), a_stored(6)]

    assert alerts_of(report_of([], []), reads, START - DAY + WEEK - 6 * DAY) == {}


def test_where_no_mailbox_was_ever_read_nothing_is_missed() -> None:
    stored = (a_stored(0, "user: not allowed"), a_stored(9, "user: not allowed"))
    reads = [each.model_copy(update={"overview": None}) for each in stored]

    assert alerts_of(report_of([], []), reads, START) == {}


def partial_in_comparison() -> PostureReport:
    """Every part was read, but a switch was not."""
    read = TenantRead("the worker", START, mailboxes=mailboxes(1), bypassed=[], organization=Organization())
    return PostureReport(compare(read, measures()), START)


def test_reads_whose_comparison_alone_is_partial_are_an_alert_as_well() -> None:
    report = partial_in_comparison()
    reads = [a_stored(days).model_copy(update={"overview": overview_of(report)}) for days in range(9)]

    assert "AuditDisabled" in alerts_of(report, reads, START)["posture_partial"]


def test_many_reads_within_a_week_hide_no_partial_one() -> None:
    """Only the last thirty are at hand: each says when the last complete one began."""
    reads = [a_stored(0, "group: throttled").model_copy(update={"complete_at": START - 8 * DAY}) for _ in range(30)]

    assert alerts_of(report_of([], []), reads, START).keys() == {"posture_partial"}

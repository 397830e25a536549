"""What a poll reports of the feed's health: the subscription, a lost permission, failures, silence."""

from __future__ import annotations

from datetime import datetime

import pytest

from bypass_responder.errors import FeedError, ResponderError, ThrottledError, TransientError
from tests.sensing.feed.polled import DAY, FORBIDDEN, HOUR, MINUTE, NOW, Tenant, a_body, ids_of


async def test_first_poll_starts_the_subscription_when_the_list_shows_none() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = None
    report = await tenant.poll()

    assert (report.subscription, ids_of(report)) == ("started", set())
    assert tenant.cursor.subscription_started_at == NOW


async def test_first_poll_leaves_a_subscription_alone_that_is_there() -> None:
    tenant = Tenant(started=None)
    await tenant.poll()

    assert ("start_subscription", "") not in tenant.feed.calls


async def test_first_poll_does_not_start_what_an_administrator_disabled() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = "disabled"
    report = await tenant.poll()

    assert (tenant.feed.status, ids_of(report)) == ("disabled", {"subscription_disabled"})


async def test_a_subscription_that_somebody_stopped_is_started_again_and_reported() -> None:
    tenant = Tenant()
    tenant.feed.status = None
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"))
    report = await tenant.poll()

    assert tenant.feed.status == "enabled"
    assert (report.subscription, ids_of(report)) == ("started", {"subscription_missing"})


async def test_a_subscription_is_started_at_most_every_fifteen_minutes() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"), always=True)
    reported = []
    for minutes in (0, 5, 14, 15, 16):
        tenant.feed.status = None
        report = await tenant.poll(NOW + minutes * MINUTE)
        reported.append((report.subscription, "subscription_missing" in ids_of(report)))

    assert reported == [("started", True), (None, True), (None, True), ("started", True), (None, True)]


async def test_af20022_does_not_start_what_the_list_shows() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"))
    await tenant.poll()

    assert ("start_subscription", "") not in tenant.feed.calls


async def test_a_disabled_subscription_is_reported_and_not_started() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20023", "disabled"))
    report = await tenant.poll()

    assert "subscription_disabled" in ids_of(report)
    assert ("start_subscription", "") not in tenant.feed.calls


@pytest.mark.parametrize(("started", "problem"), [(NOW - DAY, "permission_lost"), (None, "permission_missing")])
async def test_a_right_that_worked_before_is_lost_one_that_never_did_is_missing(
    started: datetime | None, problem: str
) -> None:
    tenant = Tenant(started=started)
    tenant.feed.fail("list_content", FORBIDDEN)
    report = await tenant.poll()

    assert ids_of(report) == {problem}
    assert report.error == FORBIDDEN.diagnostics()


@pytest.mark.parametrize("error", [TransientError("down"), ThrottledError("wait", retry_after_seconds=9), FORBIDDEN])
async def test_polls_that_fail_for_fifteen_minutes_are_a_problem(error: ResponderError) -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", error, always=True)
    reported = []
    for minutes in (0, 14, 15, 16, 17):
        if minutes == 17:
            tenant.feed.recover()
        report = await tenant.poll(NOW + minutes * MINUTE)
        reported.append("poll_failing" in ids_of(report))

    assert reported == [False, False, True, True, False]
    assert tenant.cursor.failing_since is None


async def test_a_feed_without_new_blobs_is_silent_after_the_given_time() -> None:
    tenant = Tenant(listed=NOW)
    within = await tenant.poll(NOW + 6 * HOUR)
    after = await tenant.poll(NOW + 6 * HOUR + MINUTE)

    assert (ids_of(within), ids_of(after)) == (set(), {"feed_silent"})


async def test_a_new_blob_ends_the_silence() -> None:
    tenant = Tenant(listed=NOW)
    tenant.publish("one", a_body("r1"), created=NOW + 6 * HOUR)

    assert ids_of(await tenant.poll(NOW + 6 * HOUR + MINUTE)) == set()


async def test_a_subscription_just_started_has_twelve_hours_of_grace() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = None
    await tenant.poll()
    within = await tenant.poll(NOW + 12 * HOUR - MINUTE)
    after = await tenant.poll(NOW + 12 * HOUR)

    assert (ids_of(within), ids_of(after)) == (set(), {"feed_silent"})

"""The Management Activity API, with the rules and codes of the real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.faults import Faults
from sandbox.tenant.feed import Feed, Subscription
from sandbox.tenant.state import Tenant

CONTENT = "/subscriptions/content"
EXCHANGE = {"contentType": "Audit.Exchange"}


def window(hours_ago: float, hours: float) -> dict[str, str]:
    start = datetime.now(UTC) - timedelta(hours=hours_ago)
    end = start + timedelta(hours=hours)
    return EXCHANGE | {"startTime": f"{start:%Y-%m-%dT%H:%M:%S}", "endTime": f"{end:%Y-%m-%dT%H:%M:%S}"}


def code(answer: httpx.Response) -> str:
    text: str = answer.json()["error"]["code"]
    return text


def all_pages(feed: httpx.Client) -> list[dict[str, str]]:
    answer = feed.get(CONTENT, params=EXCHANGE)
    listed: list[dict[str, str]] = answer.json()
    while following := answer.headers.get("NextPageUri"):
        answer = feed.get(following)
        listed += answer.json()
    return listed


def test_the_list_is_empty_before_a_start(feed: httpx.Client) -> None:
    assert feed.get("/subscriptions/list").json() == []


def test_content_without_a_subscription_is_af20022(feed: httpx.Client) -> None:
    assert code(feed.get(CONTENT, params=EXCHANGE)) == "AF20022"


def test_a_started_subscription_is_listed(feed: httpx.Client) -> None:
    feed.post("/subscriptions/start", params=EXCHANGE).raise_for_status()

    listed = feed.get("/subscriptions/list").json()

    assert listed == [{"contentType": "Audit.Exchange", "status": "enabled", "webhook": None}]


def test_a_second_start_within_15_minutes_is_throttled(feed: httpx.Client) -> None:
    feed.post("/subscriptions/start", params=EXCHANGE)

    again = feed.post("/subscriptions/start", params=EXCHANGE)

    assert (again.status_code, code(again)) == (403, "AF429")


def test_a_stopped_subscription_is_gone(feed: httpx.Client) -> None:
    feed.post("/subscriptions/start", params=EXCHANGE)

    feed.post("/subscriptions/stop", params=EXCHANGE).raise_for_status()

    assert code(feed.get(CONTENT, params=EXCHANGE)) == "AF20022"


def test_a_subscription_that_an_administrator_disabled_is_af20023(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("disabled")

    assert code(feed.get(CONTENT, params=EXCHANGE)) == "AF20023"


@pytest.mark.parametrize("status", ["missing", "disabled"])
def test_what_is_published_without_a_subscription_is_lost(
    feed: httpx.Client, control: SandboxClient, status: str
) -> None:
    control.subscription("enabled")
    before = control.publish([{"Id": "before"}])
    control.subscription(status)
    [lost] = control.publish([{"Id": "meanwhile"}])
    control.subscription("enabled")
    after = control.publish([{"Id": "after"}])

    assert [entry["contentId"] for entry in all_pages(feed)] == before + after
    assert code(feed.get(f"/audit/{lost}")) == "AF20050"


def test_what_is_published_between_a_stop_and_a_start_is_lost(feed: httpx.Client, control: SandboxClient) -> None:
    control.settings(start_interval_seconds=0)
    feed.post("/subscriptions/start", params=EXCHANGE).raise_for_status()
    feed.post("/subscriptions/stop", params=EXCHANGE).raise_for_status()
    control.attack("bypass")
    feed.post("/subscriptions/start", params=EXCHANGE).raise_for_status()

    assert all_pages(feed) == []


def test_what_is_delayed_is_lost_by_the_moment_at_which_it_comes() -> None:
    at = [datetime(2026, 1, 2, 3, minute, tzinfo=UTC) for minute in range(5)]
    feed = Feed()
    feed.subscribe("Audit.Exchange", Subscription(), now=at[0])
    lost, kept = (feed.publish(b"[]", created=at[0], visible_at=moment) for moment in (at[2], at[4]))
    feed.subscribe("Audit.Exchange", None, now=at[1])
    feed.subscribe("Audit.Exchange", Subscription(), now=at[3])

    assert feed.listed("Audit.Exchange", start=at[0], end=at[4], as_of=at[4]) == [kept]
    assert feed.find(lost.content_id) is None


def test_what_was_published_before_the_first_start_is_there(feed: httpx.Client, control: SandboxClient) -> None:
    published = control.publish([{"Id": "before"}])
    feed.post("/subscriptions/start", params=EXCHANGE).raise_for_status()

    assert [entry["contentId"] for entry in all_pages(feed)] == published


def test_an_unknown_content_type_is_af20020(feed: httpx.Client) -> None:
    assert code(feed.get(CONTENT, params={"contentType": "Audit.Everything"})) == "AF20020"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (window(30, 25), "AF20030"),
        (window(1, 0), "AF20030"),
        (window(7 * 24 + 1, 1), "AF20055"),
        (EXCHANGE | {"startTime": "2026-01-01"}, "AF20030"),
        (EXCHANGE | {"startTime": "yesterday", "endTime": "today"}, "AF20030"),
    ],
)
def test_a_window_must_keep_the_rules(
    feed: httpx.Client, control: SandboxClient, query: dict[str, str], expected: str
) -> None:
    control.subscription("enabled")

    assert code(feed.get(CONTENT, params=query)) == expected


def test_pages_together_hold_every_blob_once(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    published = [control.publish([{"Id": str(number)}])[0] for number in range(7)]

    listed = [entry["contentId"] for entry in all_pages(feed)]

    assert listed == published


def test_reordered_pages_together_hold_every_blob_once(
    feed: httpx.Client, control: SandboxClient, tenant: Tenant
) -> None:
    control.subscription("enabled")
    tenant.faults = Faults(seed=5, rates={"reorder": 1})
    published = [control.publish([{"Id": str(number)}])[0] for number in range(7)]

    listed = [entry["contentId"] for entry in all_pages(feed)]

    assert sorted(listed) == sorted(published)
    assert listed != published


def test_a_broken_next_page_is_af20031(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")

    assert code(feed.get(CONTENT, params=EXCHANGE | {"nextPage": "nonsense"})) == "AF20031"


def test_a_blob_is_found_by_its_content_created(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    [old] = control.publish([], age_seconds=36 * 3600)
    control.publish([])

    listed = feed.get(CONTENT, params=window(40, 20)).json()

    assert [entry["contentId"] for entry in listed] == [old]


def test_a_late_blob_appears_with_an_old_content_created(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    control.publish([], age_seconds=3600)

    [entry] = all_pages(feed)

    assert entry["contentCreated"] < f"{datetime.now(UTC) - timedelta(minutes=59):%Y-%m-%dT%H:%M:%S}"


def test_a_delayed_blob_is_not_listed_yet(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    control.publish([], delay_seconds=60)

    assert all_pages(feed) == []


def test_a_blob_is_served_byte_for_byte(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    control.publish_raw(b"\0\xff not JSON")

    [entry] = all_pages(feed)

    assert feed.get(entry["contentUri"]).content == b"\0\xff not JSON"


def test_copies_are_blobs_of_their_own(feed: httpx.Client, control: SandboxClient) -> None:
    control.subscription("enabled")
    control.publish([{"Id": "1"}], copies=2)

    listed = all_pages(feed)

    assert len({entry["contentId"] for entry in listed}) == 2
    assert [feed.get(entry["contentUri"]).json() for entry in listed] == [[{"Id": "1"}]] * 2


def test_an_unknown_blob_is_af20050(feed: httpx.Client) -> None:
    assert code(feed.get("/audit/nothing")) == "AF20050"


def test_a_blob_older_than_seven_days_is_af20051(feed: httpx.Client, control: SandboxClient) -> None:
    [old] = control.publish([], age_seconds=8 * 24 * 3600)

    assert code(feed.get(f"/audit/{old}")) == "AF20051"


def test_another_tenant_is_af20010(feed: httpx.Client, url: str) -> None:
    other = "11111111-2222-3333-4444-555555555555"

    assert code(feed.get(f"{url}/api/v1.0/{other}/activity/feed/subscriptions/list")) == "AF20010"


def test_a_tenant_that_is_no_guid_is_af20013(feed: httpx.Client, url: str) -> None:
    assert code(feed.get(f"{url}/api/v1.0/contoso/activity/feed/subscriptions/list")) == "AF20013"


def test_throttling_is_af429_under_http_403(feed: httpx.Client, control: SandboxClient) -> None:
    control.fault("throttle", "feed.list")

    answer = feed.get("/subscriptions/list")

    assert (answer.status_code, code(answer)) == (403, "AF429")

"""What `bypassctl doctor` concludes from the gathered facts: each fault alone is reported alone."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.self_check import Access, StorageCheck, Token
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.doctor.diagnosis import Names
from bypass_responder.rights import RESPONDER_ROLES, Api
from tests.fakes.self_check import CONTAINERS, RESPONDER, TABLES, a_token
from tests.operating.doctor.installation import (
    CONSOLE,
    GRANTS,
    NOW,
    PLACES,
    SEND_ONLY,
    WORKER,
    a_check,
    a_standing,
    a_storage_check,
    closed,
    facts,
    reported,
    ungranted,
    without,
)
from tests.world import some_settings


def test_a_healthy_installation_has_no_problem() -> None:
    assert reported(diagnose(facts())) == []


LATER = NOW + timedelta(hours=5)
SPOILED: list[tuple[str, str, dict[str, Any]]] = [
    # ---- the app
    ("app_silent", "func-responder", {"stored": None}),
    ("resume_late", "resume_responses", {"stored": a_check(at=NOW - timedelta(hours=3))}),
    ("app_silent", "func-responder", {"now": LATER, "standing": a_standing(doubt="2 in a row had no answer")}),
    ("app_silent", "func-responder", {"stored": None, "standing": a_standing(polled_at=None, doubt="never")}),
    (
        "app_silent",
        "func-responder",
        {"stored": a_check(at=NOW, storage=a_storage_check(person=False, skew_seconds=4 * 3600.0))},
    ),
    # ---- tokens and roles
    *(
        ("role_missing", role.value, {"stored": without(role.api, role.value), "grants": ungranted(role.value)})
        for role in RESPONDER_ROLES
    ),
    *(("role_taken_away", role.value, {"grants": ungranted(role.value)}) for role in RESPONDER_ROLES),
    *(("role_not_in_token", role.value, {"stored": without(role.api, role.value)}) for role in RESPONDER_ROLES),
    (
        "role_missing",
        "ActivityFeed.Read",
        {
            "stored": without(Api.MANAGEMENT, "ActivityFeed.Read").model_copy(
                update={"subscription": "", "subscription_problem": "AF10001"}
            ),
            "grants": ungranted("ActivityFeed.Read"),
            "standing": a_standing("permission_lost", "poll_failing", "feed_silent", polled_at=None),
        },
    ),
    (
        "token_missing",
        "Microsoft Graph and Office 365 Management APIs",
        {
            "stored": a_check(
                tokens=tuple(Token(api=api, problem="no identity") for api in (Api.GRAPH, Api.MANAGEMENT)),
                subscription="",
                subscription_problem="No token for the audit feed",
            )
        },
    ),
    (
        "tenant_wrong",
        "TENANT_ID",
        {
            "stored": a_check(
                tokens=tuple(a_token(api, tenant_id="other", roles=()) for api in (Api.GRAPH, Api.MANAGEMENT)),
                subscription="",
                subscription_problem="AF20010: does not match",
            )
        },
    ),
    ("worker_role_missing", "Exchange.ManageAsApp", {"grants": ungranted("Exchange.ManageAsApp")}),
    (
        "worker_role_missing",
        "Exchange.ManageAsApp",
        {
            "grants": ungranted("Exchange.ManageAsApp"),
            "standing": a_standing("worker_permission_missing", "sweep_overdue", doubt="no answer"),
        },
    ),
    ("identity_missing", WORKER, {"gone": (WORKER,), "standing": a_standing("worker_silent", doubt="no answer")}),
    ("identity_missing", CONSOLE, {"gone": (CONSOLE,)}),
    ("console_has_rights", CONSOLE, {"grants": GRANTS | {CONSOLE: {"role": None}}}),
    ("identity_missing", RESPONDER, {"gone": (RESPONDER,), "standing": a_standing("poll_failing")}),
    # ---- the subscription
    ("subscription_missing", "Audit.Exchange", {"stored": a_check(subscription="missing")}),
    (
        "subscription_disabled",
        "Audit.Exchange",
        {
            "stored": a_check(subscription="disabled"),
            "standing": a_standing("subscription_disabled", "poll_failing", polled_at=None),
        },
    ),
    (
        "feed_refused",
        "Audit.Exchange",
        {"stored": a_check(subscription="", subscription_problem="AF20011: unknown tenant")},
    ),
    (
        "feed_refused",
        "Audit.Exchange",
        {
            "stored": a_check(subscription="", subscription_problem="AF20011: unknown tenant"),
            "standing": a_standing("poll_failing", polled_at=None),
        },
    ),
    (
        "role_not_in_token",
        "ActivityFeed.Read",
        {"stored": without(Api.MANAGEMENT, "ActivityFeed.Read"), "standing": a_standing("permission_missing")},
    ),
    # ---- storage
    *(
        ("storage_missing", f"{place.value} {name}", {"here": a_storage_check({name: Access.MISSING})})
        for name, place in PLACES.items()
    ),
    *(
        ("storage_forbidden", f"{place.value} {name}", closed(Access.FORBIDDEN, name))
        for name, place in PLACES.items()
        if name not in SEND_ONLY
    ),
    ("storage_unreachable", "tables", closed(Access.UNREACHABLE, *TABLES)),
    ("storage_unreachable", "containers", closed(Access.UNREACHABLE, *CONTAINERS)),
    # ---- clocks
    (
        "clock_skew_app",
        "func-responder",
        {"stored": a_check(storage=a_storage_check(person=False, skew_seconds=-31.0))},
    ),
    (
        "clock_skew_app",
        "func-responder",
        {
            "stored": a_check(
                at=NOW - timedelta(hours=4), storage=a_storage_check(person=False, skew_seconds=-4 * 3600.0)
            )
        },
    ),
    ("clock_skew_here", "this machine", {"here": a_storage_check(skew_seconds=31.0)}),
    (
        "clock_skew_here",
        "this machine",
        {"now": NOW + timedelta(hours=4), "here": a_storage_check(skew_seconds=4 * 3600.0)},
    ),
    # ---- settings of the app
    ("worker_ids_empty", "EXCHANGE_WORKER_IDS", {"stored": a_check(worker_ids=0)}),
    ("channel_none", "NOTIFICATION_RECEIVERS", {"stored": a_check(settings=("MODE",), telemetry=False)}),
    ("secret_unresolved", "NOTIFICATION_WEBHOOK_SECRET", {"stored": a_check(secret_unresolved=True)}),
    ("secret_unresolved", "NOTIFICATION_RECEIVERS", {"stored": a_check(receivers_unresolved=True)}),
    *(
        ("schedule_implausible", name, {"stored": a_check(schedules={**a_check().schedules, name: schedule})})
        for name, schedule in [
            ("POLL_SCHEDULE", "00:01:00"),
            ("POLL_SCHEDULE", "0 0 */2 * * *"),
            ("RESUME_SCHEDULE", "0 */30 * * * *"),
            ("SWEEP_SCHEDULE", "0 0 */2 * * *"),
            ("EVIDENCE_SCHEDULE", "0 0 */2 * * *"),
            ("POSTURE_SCHEDULE", "0 0 3 * * *"),
        ]
    ),
    # ---- feed, sweep, worker
    ("never_polled", "audit feed", {"standing": a_standing(polled_at=None)}),
    ("poll_late", "audit feed", {"standing": a_standing(polled_at=NOW - timedelta(minutes=31))}),
    ("sweep_unknown", "sweep", {"standing": a_standing(doubt="no sweep was complete yet")}),
    (
        "worker_silent",
        "health alert",
        {"standing": a_standing("worker_silent", "sweeps_silent", "sweep_overdue", doubt="2 had no answer")},
    ),
    ("worker_permission_missing", "health alert", {"standing": a_standing("worker_permission_missing", doubt="x")}),
    ("audit_disabled", "health alert", {"standing": a_standing("audit_disabled")}),
    ("ingestion_disabled", "health alert", {"standing": a_standing("ingestion_disabled", "feed_silent")}),
    ("response_permission_missing", "health alert", {"standing": a_standing("response_permission_missing")}),
]


@pytest.mark.parametrize(
    ("problem", "about", "spoiled"), SPOILED, ids=[f"{problem}-{about}" for problem, about, _ in SPOILED]
)
def test_each_problem_alone_is_reported_alone(problem: str, about: str, spoiled: dict[str, Any]) -> None:
    assert reported(diagnose(facts(**spoiled))) == [(problem, about)]


def test_a_message_in_a_poison_queue_is_named() -> None:
    waiting = [
        reach.model_copy(update={"held": 2 * (reach.name in {"alerts-poison", "alerts"})})
        for reach in a_storage_check().reaches
    ]
    found = diagnose(facts(here=StorageCheck(reaches=tuple(waiting), skew_seconds=0.0)))

    assert reported(found) == [("poison_waiting", "alerts-poison")]


def test_two_unrelated_problems_are_both_reported() -> None:
    stored = without(Api.GRAPH, "User.Read.All").model_copy(update={"subscription": "disabled"})

    assert {problem.id for problem in diagnose(facts(stored=stored)).problems} == {
        "role_not_in_token",
        "subscription_disabled",
    }


@pytest.mark.parametrize("alert", ["gap", "poison", "hints_waiting", "alerts_unreadable", "sweep_account_unreadable"])
def test_an_event_without_a_fix_here_is_left_to_status(alert: str) -> None:
    assert reported(diagnose(facts(standing=a_standing(alert)))) == []


def test_controls_that_wait_for_a_person_are_reported() -> None:
    found = diagnose(facts(stored=a_check(automatic_controls=("revoke_sessions", "disable_bypass"))))

    assert any("AUTOMATIC_CONTROLS" in line and "block_sign_in" in line for line in found.information)


def test_observe_is_reported_and_is_no_problem() -> None:
    found = diagnose(facts(stored=a_check(mode="observe")))

    assert reported(found) == []
    assert any(line.startswith("MODE is observe") for line in found.information)


def test_an_empty_protected_list_is_reported() -> None:
    [line] = [line for line in diagnose(facts(stored=a_check(protected=0))).information if "PROTECTED" in line]

    assert line.startswith("PROTECTED_OBJECT_IDS of the app is empty")
    assert not any("PROTECTED" in line for line in diagnose(facts()).information)


@pytest.mark.parametrize(
    ("settings", "to_application_insights", "mentioned"),
    [((), True, True), (("NOTIFICATION_WEBHOOK_URL",), True, False), ((), False, False)],
)
def test_alert_rules_as_the_only_channel_are_reported(
    settings: tuple[str, ...], to_application_insights: bool, mentioned: bool
) -> None:
    found = diagnose(facts(stored=a_check(settings=settings, telemetry=to_application_insights)))

    assert any("no receiver" in line for line in found.information) is mentioned


def test_an_unknown_worker_is_reported_as_not_checked() -> None:
    unknown = [
        unchecked.how
        for unchecked in diagnose(facts(names=Names())).unchecked
        if "its identity is unknown" in unchecked.what
    ]

    assert len(unknown) == 1
    assert "WORKER_PRINCIPAL_ID" in unknown[0]
    assert not any("its identity is unknown" in unchecked.what for unchecked in diagnose(facts()).unchecked)


def test_alert_rules_are_a_channel() -> None:
    assert reported(diagnose(facts(stored=a_check(settings=("MODE",), telemetry=True)))) == []


def test_the_event_subscription_is_never_checked_and_the_command_to_check_it_is_given() -> None:
    hows = [unchecked.how for unchecked in diagnose(facts()).unchecked if "event subscription" in unchecked.what]

    assert len(hows) == 1
    assert hows[0].startswith("az eventgrid event-subscription list")


@pytest.mark.parametrize("problem", [{"stored_problem": "403"}, {"standing_problem": "403", "standing": None}])
def test_what_cannot_be_read_is_essential(problem: dict[str, Any]) -> None:
    assert [it.essential for it in diagnose(facts(**problem)).unchecked if "403" in it.what] == [True]


def test_without_a_sign_in_the_fix_is_reported_once() -> None:
    here = a_storage_check(dict.fromkeys(PLACES, Access.NO_TOKEN), skew_seconds=None)
    found = diagnose(facts(here=here, stored=None, stored_problem="none", standing=None, standing_problem="none"))

    assert reported(found) == []
    assert [unchecked.how for unchecked in found.unchecked if unchecked.essential] == ["sign in: az login"]


def test_a_self_check_that_cannot_be_read_is_no_silent_app() -> None:
    assert reported(diagnose(facts(stored=None, stored_problem="403"))) == []


def test_of_a_stand_in_nothing_of_azure_and_the_directory_is_left_unchecked() -> None:
    settings = some_settings(graph_url="http://127.0.0.1:8025")
    found = diagnose(facts(settings=settings, grants=None))

    assert [line for line in found.information if "a stand-in for Microsoft's services" in line]
    assert [unchecked.what for unchecked in found.unchecked if "az " in unchecked.how] == []


def test_unknown_access_to_mailboxes_is_information_with_its_fix() -> None:
    standing = dataclasses.replace(a_standing(), access_problem="403 from Graph. Fix: grant it")
    found = diagnose(facts(standing=standing))

    assert [line for line in found.information if line.startswith("who else opened")] == [
        "who else opened watched mailboxes is not known (docs/posture.md): 403 from Graph. Fix: grant it"
    ]
    assert not found.problems

"""What `bypassctl doctor` concludes from the gathered facts: each fault alone is reported alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.model.account_read import Section
from bypass_responder.model.feed import FeedCursor
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.organization_read import OrganizationRead, RoleEntry
from bypass_responder.model.self_check import Access, Place, Reach, SelfCheck, StorageCheck, Token
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Facts, Names, Standing
from bypass_responder.operating.self_check import probed_queues
from bypass_responder.operating.timer_runs import SCHEDULES
from bypass_responder.rights import (
    EVIDENCE_ROLES,
    EVIDENCE_SETS,
    EXCHANGE_GRANTS,
    RESPONDER_ROLES,
    WORKER_ROLES,
    Api,
)
from tests.fakes.self_check import CONTAINERS, ISSUED, RESPONDER, TABLES, a_token
from tests.operating.test_self_check import KEYLESS
from tests.world import START, TENANT, some_settings

WORKER = "dddddddd-0000-4000-8000-000000000001"
CONSOLE = "dddddddd-0000-4000-8000-000000000003"
NOW = START + timedelta(minutes=30)
SETTINGS = some_settings(storage=KEYLESS)
PERSON = Token(api=Api.GRAPH, object_id="aaaaaaaa-0000-4000-8000-00000000000f", delegated=True, tenant_id=TENANT)
GRANTED = ISSUED - timedelta(days=9)
GRANTS = {
    RESPONDER: dict.fromkeys((role.id for role in RESPONDER_ROLES), GRANTED),
    WORKER: dict.fromkeys((role.id for role in WORKER_ROLES), GRANTED),
}
NAMES = Names(
    app="func-responder",
    worker="func-worker",
    group="rg",
    account="data",
    worker_principal=WORKER,
    console_principal=CONSOLE,
)
SEND_ONLY = ("exchange-commands", "exchange-checks", "exchange-sweeps", "exchange-reads")
PLACES = {
    **dict.fromkeys(TABLES, Place.TABLE),
    **dict.fromkeys(probed_queues(SETTINGS, person=True), Place.QUEUE),
    **dict.fromkeys(CONTAINERS, Place.CONTAINER),
}


def a_storage_check(spoiled: dict[str, Access] | None = None, *, person: bool = True, **fields: Any) -> StorageCheck:
    """Everything is accessible except ``spoiled``; the app does not check the queues that it only sends to."""
    seen = [name for name in PLACES if person or name not in SEND_ONLY]
    found = {name: (spoiled or {}).get(name, Access.OK) for name in seen}
    reaches = [
        Reach(place=PLACES[name], name=name, access=access, code="" if access is Access.OK else f"code of {name}")
        for name, access in found.items()
    ]
    return StorageCheck(**({"reaches": tuple(reaches), "skew_seconds": 0.0} | fields))


def a_check(**fields: Any) -> SelfCheck:
    """The app's self-check ten minutes ago, without a problem."""
    given: dict[str, Any] = {
        "at": NOW - timedelta(minutes=10),
        "version": "0.1.0",
        "mode": "enforce",
        "protected": 1,
        "worker_ids": 2,
        "settings": ("MODE", "NOTIFICATION_WEBHOOK_URL", "TENANT_ID"),
        "schedules": {
            "POLL_SCHEDULE": "0 * * * * *",
            "RESUME_SCHEDULE": "30 * * * * *",
            "SWEEP_SCHEDULE": "0 */15 * * * *",
            "HUNTING_SCHEDULE": "15 */5 * * * *",
            "EVIDENCE_SCHEDULE": "15 */5 * * * *",
            "POSTURE_SCHEDULE": "0 */10 * * * *",
        },
        "telemetry": True,
        "tokens": (a_token(Api.GRAPH, tenant_id=TENANT), a_token(Api.MANAGEMENT, tenant_id=TENANT)),
        "subscription": "enabled",
        "storage": a_storage_check(person=False),
    }
    return SelfCheck(**(given | fields))


def a_standing(
    *alerts: str,
    polled_at: datetime | None = NOW - timedelta(minutes=30),
    doubt: str = "",
    sweep_requested_at: datetime | None = NOW - timedelta(minutes=15),
    first_at: datetime | None = NOW - timedelta(days=9),
    ran: Mapping[str, datetime | None] | None = None,
) -> Standing:
    cursor = FeedCursor(first_start=START, listed_through=START, last_success_at=polled_at)
    rows = [
        HealthAlert(id=each, severity=ADVICE[each][0], detail="detail", advice=str(ADVICE[each][1]), since=START)
        for each in alerts
    ]
    lately: dict[str, datetime | None] = dict.fromkeys(SCHEDULES, NOW - timedelta(minutes=10))
    return Standing(
        cursor=cursor,
        alerts=rows,
        doubt=doubt,
        sweep_requested_at=sweep_requested_at,
        first_at=first_at,
        ran={timer: at for timer, at in (lately | {**(ran or {})}).items() if at},
    )


def facts(**fields: Any) -> Facts:
    """A person checks a healthy installation; the last poll was before the app's self-check."""
    given: dict[str, Any] = {
        "now": NOW,
        "settings": SETTINGS,
        "names": NAMES,
        "caller": PERSON,
        "here": a_storage_check(),
        "stored": a_check(),
        "standing": a_standing(),
        "grants": GRANTS,
    }
    return Facts(**(given | fields))


def reported(found: Diagnosis) -> list[tuple[str, str]]:
    return [(problem.id, problem.about) for problem in found.problems]


def without(api: Api, *roles: str, **fields: Any) -> SelfCheck:
    """The app's token for a service lacks these roles."""
    tokens = {each: a_token(each, tenant_id=TENANT) for each in (Api.GRAPH, Api.MANAGEMENT)}
    left = tuple(role for role in tokens[api].roles if role not in roles)
    tokens[api] = tokens[api].model_copy(update={"roles": left} | fields)
    return a_check(tokens=tuple(tokens.values()))


def ungranted(role: str) -> dict[str, dict[str, datetime]]:
    """The directory has not granted this role."""
    ids = {each.id for each in (*RESPONDER_ROLES, *WORKER_ROLES) if each.value == role}
    return {who: {held: at for held, at in given.items() if held not in ids} for who, given in GRANTS.items()}


def closed(access: Access, *names: str) -> dict[str, Any]:
    """The app's self-check has ``access`` for these names; the person can read them."""
    return {"stored": a_check(storage=a_storage_check(dict.fromkeys(names, access), person=False))}


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


# ---- tokens


def test_a_token_from_before_the_grant_is_reported_with_both_times_and_its_expiry() -> None:
    granted = ISSUED + timedelta(minutes=7)
    grants = GRANTS | {RESPONDER: GRANTS[RESPONDER] | {RESPONDER_ROLES[0].id: granted}}
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), grants=grants)).problems

    assert "issued at 2026-03-02 03:00:00Z, before the grant at 2026-03-02 03:07:00Z" in problem.what
    assert "valid until 2026-03-03 03:00:00Z" in problem.what
    assert "neither a restart nor a deployment renews it" in problem.fix


def test_a_token_from_after_the_grant_is_reported_as_such() -> None:
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"))).problems

    assert "issued at 2026-03-02 03:00:00Z, although granted at 2026-02-21 03:00:00Z" in problem.what


def test_a_missing_role_is_reported_with_its_effect_and_who_grants_it() -> None:
    grants = ungranted("User.RevokeSessions.All")
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.RevokeSessions.All"), grants=grants)).problems

    assert problem.what == "the app has no User.RevokeSessions.All of Microsoft Graph: sessions cannot be revoked"
    assert problem.fix == "bypassctl grant"


def test_an_unreadable_directory_is_reported_with_the_age_of_the_token() -> None:
    found = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), grants=None, grants_problem="403"))

    assert reported(found) == [("role_missing", "User.Read.All")]
    assert "of 2026-03-02 03:00:00Z is valid until 2026-03-03 03:00:00Z" in found.problems[0].fix
    assert any("403" in unchecked.what for unchecked in found.unchecked)


@pytest.mark.parametrize(
    "spoiled",
    [
        without(Api.MANAGEMENT, "ActivityFeed.Read"),
        a_check(subscription="missing"),
        a_check(subscription="", subscription_problem="AF50000"),
    ],
)
def test_a_poll_that_succeeded_since_proves_that_the_feed_works_again(spoiled: SelfCheck) -> None:
    assert reported(diagnose(facts(stored=spoiled, standing=a_standing(polled_at=NOW)))) == []


def test_the_app_s_current_check_overrides_its_stored_self_check() -> None:
    found = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), live=a_check(at=NOW)))

    assert reported(found) == []


# ---- storage: whose right it is


def test_what_only_the_person_cannot_read_is_no_problem_and_needs_no_check() -> None:
    found = diagnose(facts(here=a_storage_check({"sweeps": Access.FORBIDDEN})))

    assert reported(found) == []
    assert not any("sweeps" in unchecked.what for unchecked in found.unchecked)


def test_what_neither_can_read_is_reported_as_not_checked() -> None:
    found = diagnose(facts(stored=None, here=a_storage_check({"sweeps": Access.FORBIDDEN})))

    assert [unchecked.what for unchecked in found.unchecked if unchecked.essential] == ["sweeps: code of sweeps"]


def test_what_was_created_again_since_the_self_check_exists() -> None:
    assert reported(diagnose(facts(**closed(Access.MISSING, "sweeps")))) == []


def test_the_role_that_is_missing_is_named_with_its_scope_and_the_apps_identity() -> None:
    [problem] = diagnose(facts(**closed(Access.FORBIDDEN, "Feed"))).problems

    assert problem.what == "the app has no Storage Table Data Contributor on the table Feed (code of Feed)"
    assert f"--assignee-object-id {RESPONDER}" in problem.fix
    assert "--name data --query id --output tsv)/tableServices/default/tables/Feed" in problem.fix


@pytest.mark.parametrize(
    ("code", "problem"),
    [("AuthorizationFailure", "storage_blocked"), ("KeyBasedAuthenticationNotPermitted", "storage_by_key")],
)
def test_a_refusal_that_no_role_fixes_is_reported_as_its_own_problem(code: str, problem: str) -> None:
    reaches = [
        reach.model_copy(update={"access": Access.FORBIDDEN, "code": code}) if reach.name == "Work" else reach
        for reach in a_storage_check(person=False).reaches
    ]
    stored = a_check(storage=StorageCheck(reaches=tuple(reaches), skew_seconds=0.0))

    assert reported(diagnose(facts(stored=stored))) == [(problem, "table Work")]


def test_a_refusal_in_the_ledger_is_not_reported_twice() -> None:
    standing = a_standing("response_permission_missing")
    detail = "the case: 403 Missing: Storage Table, Queue and Blob Data Contributor on the responder's storage account."
    alerts = [alert.model_copy(update={"detail": detail}) for alert in standing.alerts]
    found = diagnose(facts(standing=replace(standing, alerts=alerts), **closed(Access.FORBIDDEN, "Allowlist")))

    assert reported(found) == [("storage_forbidden", "table Allowlist")]


def refused_in_the_ledger(detail: str) -> Standing:
    standing = a_standing("response_permission_missing")
    return replace(standing, alerts=[alert.model_copy(update={"detail": detail}) for alert in standing.alerts])


def test_a_role_that_the_ledger_misses_too_is_not_reported_twice() -> None:
    standing = refused_in_the_ledger("Graph answered 403. Missing: User.Read.All.")
    found = diagnose(facts(standing=standing, stored=without(Api.GRAPH, "User.Read.All")))

    assert reported(found) == [("role_not_in_token", "User.Read.All")]


def test_an_unexplained_refusal_is_reported_beside_a_missing_role() -> None:
    standing = refused_in_the_ledger("the command 7: 403 Missing: Storage Table, Queue and Blob Data Contributor.")
    found = diagnose(facts(standing=standing, stored=without(Api.GRAPH, "User.Read.All")))

    assert reported(found) == [("role_not_in_token", "User.Read.All"), ("response_permission_missing", "health alert")]


def test_a_refusal_by_graph_is_reported_beside_a_closed_table() -> None:
    standing = refused_in_the_ledger("Graph answered 403. Missing: User.Read.All.")
    found = diagnose(facts(standing=standing, **closed(Access.FORBIDDEN, "Allowlist")))

    assert [problem.id for problem in found.problems] == ["storage_forbidden", "response_permission_missing"]


def test_a_queue_that_only_the_app_knows_is_reported_by_the_app() -> None:
    other = Reach(place=Place.QUEUE, name="other-poison", access=Access.OK, held=1)
    gone = Reach(place=Place.QUEUE, name="other", access=Access.MISSING)
    look = a_storage_check(person=False)
    stored = a_check(storage=look.model_copy(update={"reaches": (*look.reaches, other, gone)}))

    assert reported(diagnose(facts(stored=stored))) == [
        ("poison_waiting", "other-poison"),
        ("storage_missing", "queue other"),
    ]


def test_a_poison_queue_that_the_person_cannot_read_is_reported_by_the_app() -> None:
    waits = [
        each.model_copy(update={"held": int(each.name == "alerts-poison")})
        for each in a_storage_check(person=False).reaches
    ]
    stored = a_check(storage=StorageCheck(reaches=tuple(waits), skew_seconds=0.0))
    found = diagnose(facts(stored=stored, here=a_storage_check({"alerts-poison": Access.FORBIDDEN})))

    assert reported(found) == [("poison_waiting", "alerts-poison")]


def test_queues_that_nobody_may_read_are_reported_as_not_checked() -> None:
    found = diagnose(facts(here=a_storage_check(dict.fromkeys(SEND_ONLY, Access.FORBIDDEN))))
    what = [unchecked.what for unchecked in found.unchecked if "only send" in unchecked.what]

    assert (reported(found), len(what)) == ([], 1)
    assert what[0].startswith("exchange-checks and exchange-commands and exchange-reads and exchange-sweeps: ")
    assert not any(unchecked.essential for unchecked in found.unchecked)


# ---- what is no problem


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


# ---- timers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timer", SCHEDULES)
@pytest.mark.parametrize(("ran_at", "says"), [(NOW - timedelta(minutes=46), "last ran well at"), (None, "never run")])
def test_another_timer_that_stopped_is_reported(timer: str, ran_at: datetime | None, says: str) -> None:
    found = diagnose(facts(standing=a_standing(ran={timer: ran_at})))

    assert reported(found) == [("timer_late", timer)]
    assert says in found.problems[0].what
    assert "a-timer-that-stopped" in found.problems[0].fix


@pytest.mark.parametrize("first_at", [NOW - timedelta(minutes=20), None])
def test_a_timer_may_not_have_run_yet_after_the_installation(first_at: datetime | None) -> None:
    standing = a_standing(first_at=first_at, ran=dict.fromkeys(SCHEDULES))

    assert reported(diagnose(facts(standing=standing))) == []


def test_a_sweep_timer_that_stopped_is_reported_with_the_way_to_replace_the_app() -> None:
    standing = a_standing("sweep_overdue", doubt="overdue", sweep_requested_at=NOW - timedelta(minutes=46))
    found = diagnose(facts(standing=standing))

    assert reported(found) == [("sweep_late", "sweep_bypass_state")]
    assert "a-timer-that-stopped" in found.problems[0].fix


@pytest.mark.parametrize("requested_at", [NOW - timedelta(minutes=44), None])
def test_a_sweep_timer_within_three_runs_or_with_a_sweep_under_way_is_none(requested_at: datetime | None) -> None:
    assert reported(diagnose(facts(standing=a_standing(sweep_requested_at=requested_at)))) == []


def test_a_scheduler_that_stopped_while_the_feed_is_polled_is_reported_by_its_name() -> None:
    stored = a_check(at=NOW - timedelta(hours=5))
    found = diagnose(facts(stored=stored, standing=a_standing(polled_at=NOW)))

    assert reported(found) == [("resume_late", "resume_responses")]


def test_an_app_of_which_nothing_runs_is_silent() -> None:
    old = NOW - timedelta(hours=5)
    found = diagnose(facts(stored=a_check(at=old), standing=a_standing(polled_at=old, sweep_requested_at=old)))

    assert reported(found) == [("app_silent", NAMES.app)]


def test_of_a_stand_in_nothing_of_azure_and_the_directory_is_left_unchecked() -> None:
    settings = some_settings(graph_url="http://127.0.0.1:8025")
    found = diagnose(facts(settings=settings, grants=None))

    assert [line for line in found.information if "a stand-in for Microsoft's services" in line]
    assert [unchecked.what for unchecked in found.unchecked if "az " in unchecked.how] == []


# ---- what the worker may run


def may(*entries: tuple[str, str, tuple[str, ...]], error: str | None = None) -> OrganizationRead:
    """The worker's roles as it read them: role, cmdlet, parameters."""
    own = tuple(RoleEntry(role=role, cmdlet=cmdlet, parameters=given) for role, cmdlet, given in entries)
    nothing: dict[str, Any] = {"switches": {}, "admin_audit_log": {}, "assignments": {}, "members": {}}
    return OrganizationRead(**nothing, own_entries=Section[RoleEntry](items=own, error=error))


def test_cmdlets_of_the_sets_are_no_problem() -> None:
    every = [
        ("a role", cmdlet, granted.parameters) for granted in EXCHANGE_GRANTS.values() for cmdlet in granted.cmdlets
    ]
    found = diagnose(facts(worker_may=may(*every)))

    assert reported(found) == []
    assert not any("more than it needs" in unchecked.what for unchecked in found.unchecked)


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "named"),
    [
        ("Remove-Mailbox", ("Identity",), "Remove-Mailbox"),
        ("New-InboxRule", (), "New-InboxRule"),
        ("Set-Mailbox", ("Identity", "AuditOwner", "ForwardingSmtpAddress"), "Set-Mailbox -ForwardingSmtpAddress"),
    ],
)
def test_any_other_cmdlet_or_parameter_is_a_problem(cmdlet: str, parameters: tuple[str, ...], named: str) -> None:
    found = diagnose(facts(worker_may=may(("a role", cmdlet, parameters))))

    assert reported(found) == [("worker_right_extra", f"a role\\{cmdlet}")]
    assert f"may run {named}, which no set grants" in found.problems[0].what


@pytest.mark.parametrize("read", [None, may(), may(error="may not run Get-ManagementRoleEntry")])
def test_rights_that_the_worker_has_not_read_are_not_checked(read: OrganizationRead | None) -> None:
    found = diagnose(facts(worker_may=read))
    [unchecked] = [each for each in found.unchecked if "more than it needs" in each.what]

    assert reported(found) == []
    assert unchecked.how == "bypassctl grant --exchange-script --set reads"


def evidence_lines(*roles: str, **fields: Any) -> list[str]:
    """What is said of evidence when the app's token has these permissions besides the required ones."""
    token = a_token(Api.GRAPH, tenant_id=TENANT)
    token = token.model_copy(update={"roles": (*token.roles, *roles)})
    check = a_check(tokens=(token, a_token(Api.MANAGEMENT, tenant_id=TENANT)))
    found = diagnose(facts(stored=check, **fields))

    assert reported(found) == []
    return [line for line in found.information if line.startswith("evidence:")]


def test_no_permission_for_evidence_is_one_note_with_the_command() -> None:
    lines = evidence_lines()

    assert len(lines) == 1
    assert "bypassctl grant --evidence core" in lines[0]


def test_each_permission_for_evidence_that_is_missing_is_a_note() -> None:
    full = [role.value for role in EVIDENCE_SETS["full"]]
    lines = evidence_lines(*full[1:])

    assert len(lines) == 1
    assert "AuditLog.Read.All is not granted: no sign-ins" in lines[0]


def test_every_permission_for_evidence_is_no_note() -> None:
    assert evidence_lines(*(role.value for role in EVIDENCE_ROLES)) == []


def test_a_permission_for_evidence_that_the_token_lacks_says_until_when() -> None:
    granted = GRANTS[RESPONDER] | {role.id: GRANTED for role in EVIDENCE_ROLES}
    lines = evidence_lines("AuditLogsQuery.Read.All", grants=GRANTS | {RESPONDER: granted})

    assert all("is granted; the app's token has it after" in line for line in lines)


def test_unknown_access_to_mailboxes_is_information_with_its_fix() -> None:
    standing = dataclasses.replace(a_standing(), access_problem="403 from Graph. Fix: grant it")
    found = diagnose(facts(standing=standing))

    assert [line for line in found.information if line.startswith("who else opened")] == [
        "who else opened watched mailboxes is not known (docs/posture.md): 403 from Graph. Fix: grant it"
    ]
    assert not found.problems

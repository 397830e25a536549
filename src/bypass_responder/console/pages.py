"""Every page, in one table; the API has the same content under ``/api/v1``.

One reader supplies what both show.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BeforeValidator, ValidationError

from bypass_responder.console.accounts import AccountView, account
from bypass_responder.console.allowlist import (
    Entry,
    EntryList,
    ReviewList,
    allowlist,
    allowlist_entry,
    allowlist_plan,
    allowlist_review,
)
from bypass_responder.console.allowlist import tag_of as edit_tag
from bypass_responder.console.context import ConsoleDep, IncidentId
from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, first_problem
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexFilter
from bypass_responder.model.mailbox_access import AccessLogon
from bypass_responder.operating.allowlist.edit import Edit
from bypass_responder.operating.blind_windows.read_windows import BlindWindows, read_windows
from bypass_responder.operating.bypassed import BypassedAccounts, bypassed_accounts
from bypass_responder.operating.incidents.listing import PAGE, IncidentPage, list_incidents
from bypass_responder.operating.incidents.read_view import read_entry
from bypass_responder.operating.incidents.view import FindingView, IncidentView
from bypass_responder.operating.overview.account_log import AccountLog, read_account_log
from bypass_responder.operating.overview.app_settings import AppSettings, read_app_settings
from bypass_responder.operating.overview.health import Health, read_health
from bypass_responder.operating.overview.needs_decision import NeedsDecision, read_needs_decision
from bypass_responder.operating.posture.access import MOST_ROWS, Accesses, read_access
from bypass_responder.operating.posture.answers import PosturePage, read_page
from bypass_responder.operating.posture.grants import Grants, read_grants
from bypass_responder.operating.posture.listed import LineFilter
from bypass_responder.operating.posture.plan_runs import PlanRuns, read_plan_runs
from bypass_responder.operating.status import last_self_check
from bypass_responder.tampering.permissions import KEPT, WITHIN

MOST_BYPASSED = 500
"""Accounts on a page."""
ROWS_OF_PAGE = 500
Moment = Annotated[Utc | None, BeforeValidator(lambda text: text or None)]
"""A time; an empty field of a form is none."""
Subject = Annotated[str, Query(max_length=100, description="An incident id, an object id, or the word tenant.")]


@dataclass(frozen=True)
class Page:
    """One page and its twin in the API.

    ``read`` is a dependency of FastAPI: its parameters are those of the route.
    """

    path: str
    title: str
    template: str
    shows: Any
    """The type of what it shows: a model, or a union of models."""
    read: Callable[..., Awaitable[Any]]
    in_menu: bool = True
    tag: Callable[[Any], str] = lambda _: ""
    """The ETag of the state that a decision depends on."""
    target: Callable[[Any], str] = lambda _: ""
    """The case in which the outcome of a decision that was sent from the page is recorded."""


async def needs_decision(console: ConsoleDep) -> NeedsDecision:
    """Incidents that wait for a person, health alerts, entries that expire soon."""
    return await read_needs_decision(console.services)


async def incidents(
    console: ConsoleDep,
    status: Annotated[list[IncidentStatus | Literal[""]], Query()] = [],  # noqa: B006 - FastAPI copies it
    person: Annotated[
        str, Query(max_length=256, description="Target or actor: object id or user principal name.")
    ] = "",
    since: Annotated[Moment, Query(description="Opened at or after this time.")] = None,
    until: Annotated[Moment, Query(description="Opened before this time.")] = None,
    after: Annotated[str, Query(max_length=200, description="The field next of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> IncidentPage:
    """Incidents, newest first."""
    try:
        wanted = IndexFilter(
            kinds=("incident",),
            statuses=tuple(IncidentStatus(each) for each in status if each),
            person=person.strip(),
            since=since,
            until=until,
        )
    except ValidationError as problem:
        raise InputError("filter", first_problem(problem)) from problem
    return await list_incidents(wanted, console.services, after=after, limit=limit)


async def incident(console: ConsoleDep, incident_id: IncidentId) -> IncidentView | FindingView:
    """One incident, or a finding that opened none."""
    return await read_entry(incident_id, console.services)


def _target_of(view: IncidentView | FindingView) -> str:
    return view.target if isinstance(view, IncidentView) else view.entry.target


def _tag_of(view: IncidentView | FindingView) -> str:
    return view.shown.digest() if isinstance(view, IncidentView) else ""


async def log(console: ConsoleDep, subject: Subject = "tenant") -> AccountLog:
    """The response log of an incident, an account or the tenant, newest first."""
    return await read_account_log(subject, console.services, console.self_checks)


async def windows(
    console: ConsoleDep,
    account: Annotated[str, Query(max_length=256, description="Object id, user principal name, or all.")] = "",
    since: Annotated[Moment, Query(description="Leave out what ended before this time.")] = None,
) -> BlindWindows:
    """For which accounts and times records of mailbox actions do not exist, and why."""
    return await read_windows(console.services, account, since=since)


async def bypassed(console: ConsoleDep) -> BypassedAccounts:
    """Accounts that are bypassed, as of the last complete sweep; those not allowlisted come first."""
    check = await last_self_check(console.self_checks)
    return await bypassed_accounts(console.services, check, most=MOST_BYPASSED)


async def health(console: ConsoleDep) -> Health:
    """Whether the responder sees and works, and each alert with its fix."""
    return await read_health(console.services, console.self_checks)


async def posture(
    console: ConsoleDep,
    type: Annotated[str, Query(max_length=64, description="List only this RecipientTypeDetails.")] = "",  # noqa: A002 - the name in the query
    missing: Annotated[str, Query(max_length=64, description="Mailboxes that may not record this action.")] = "",
    *,
    pinned: Annotated[bool, Query(description="List only mailboxes with a pinned logon type.")] = False,
    not_audited: Annotated[bool, Query(description="List only mailboxes that are not audited, or may not be.")] = False,
) -> PosturePage:
    """What mailboxes audit, as last read: numbers, what to do, the mailboxes that come first."""
    wanted = LineFilter(type=type.strip(), missing=missing.strip(), pinned=pinned, not_audited=not_audited)
    return await read_page(console.services, wanted)


async def grants(
    console: ConsoleDep,
    days: Annotated[int, Query(ge=1, le=KEPT.days, description="How many days back.")] = WITHIN.days,
) -> Grants:
    """Permissions to mailboxes and role groups that were granted or removed, as the audit feed has them."""
    return await read_grants(console.services, days=days)


async def access(
    console: ConsoleDep,
    mailbox: Annotated[str, Query(max_length=256, description="Complete user principal name or object id.")] = "",
    actor: Annotated[str, Query(max_length=256, description="User principal name, object id or application id.")] = "",
    logon_type: Annotated[AccessLogon | Literal[""], Query(description="Only with this logon type.")] = "",
    since: Annotated[Moment, Query(description="First day; 30 days ago if not given.")] = None,
    until: Annotated[Moment, Query(description="Days before then.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="Maximum number of rows, the newest.")] = ROWS_OF_PAGE,
) -> Accesses:
    """Who else than its owner opened which watched mailbox, and what is not known of it."""
    names = {"mailbox": mailbox, "actor": actor}
    logon = logon_type or None
    return await read_access(console.services, **names, logon=logon, since=since, until=until, limit=limit)


async def plans(console: ConsoleDep) -> PlanRuns:
    """Plans of mailbox changes that were carried out or undone, and how far they are. Read-only."""
    return await read_plan_runs(console.services)


async def settings(console: ConsoleDep) -> AppSettings:
    """The settings of the running responder. Read-only."""
    return await read_app_settings(console.services, console.self_checks)


PAGES = (
    Page("/needs-decision", "Needs a decision", "needs_decision.html", NeedsDecision, needs_decision),
    Page("/incidents", "Incidents", "incidents.html", IncidentPage, incidents),
    Page(
        "/incidents/{incident_id}",
        "Incident",
        "incident.html",
        IncidentView | FindingView,
        incident,
        in_menu=False,
        tag=_tag_of,
        target=_target_of,
    ),
    Page("/allowlist", "Allowlist", "allowlist.html", EntryList, allowlist),
    Page(
        "/allowlist/review",
        "Review the allowlist",
        "allowlist_review.html",
        ReviewList,
        allowlist_review,
        in_menu=False,
    ),
    Page(
        "/allowlist/{object_id}",
        "Allowlist entry",
        "allowlist_entry.html",
        Entry,
        allowlist_entry,
        in_menu=False,
        tag=edit_tag,
        target=lambda view: view.object_id,
    ),
    Page(
        "/allowlist/{object_id}/plan/{action}",
        "Change an allowlist entry",
        "allowlist_plan.html",
        Edit,
        allowlist_plan,
        in_menu=False,
        tag=edit_tag,
    ),
    Page("/bypassed", "Bypassed", "bypassed.html", BypassedAccounts, bypassed),
    Page("/accounts/{name}", "Account", "account.html", AccountView, account, in_menu=False),
    Page("/log", "Log", "log.html", AccountLog, log),
    Page("/windows", "Missing records", "windows.html", BlindWindows, windows),
    Page("/health", "Health", "health.html", Health, health),
    Page("/posture", "Posture", "posture.html", PosturePage, posture),
    Page("/posture/plans", "Plans", "plans.html", PlanRuns, plans, in_menu=False),
    Page("/posture/access", "Mailbox access", "access.html", Accesses, access, in_menu=False),
    Page("/posture/grants", "Permissions", "grants.html", Grants, grants, in_menu=False),
    Page("/settings", "Settings", "settings.html", AppSettings, settings),
)
FIRST = PAGES[0].path

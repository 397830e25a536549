"""Every page, in one table. The API has the same under ``/api/v1``: one reader gives both what they show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query

from bypass_responder.console.context import ConsoleDep
from bypass_responder.operating.overview.account_log import AccountLog, read_account_log
from bypass_responder.operating.overview.app_settings import AppSettings, read_app_settings
from bypass_responder.operating.overview.health import Health, read_health
from bypass_responder.operating.overview.needs_decision import NeedsDecision, read_needs_decision

Subject = Annotated[str, Query(max_length=100, description="An incident id, an object id, or the word tenant.")]
IncidentId = Annotated[str, Path(max_length=100, description="The id of an incident, or its unique beginning.")]


@dataclass(frozen=True)
class Page:
    """One page and its twin in the API. ``read`` is a dependency of FastAPI: its parameters are those of the route."""

    path: str
    title: str
    template: str
    shows: Any
    """The type of what it shows: a model, or a union of models."""
    read: Callable[..., Awaitable[Any]]
    in_menu: bool = True


async def needs_decision(console: ConsoleDep) -> NeedsDecision:
    """Incidents that wait for a person, health alerts, entries that expire soon."""
    return await read_needs_decision(console.services)


async def log(console: ConsoleDep, subject: Subject = "tenant") -> AccountLog:
    """The response log of an incident, an account or the tenant, newest first."""
    return await read_account_log(subject, console.services)


async def health(console: ConsoleDep) -> Health:
    """Whether the responder sees and works, and each alert with its fix."""
    return await read_health(console.services, console.self_checks)


async def settings(console: ConsoleDep) -> AppSettings:
    """The settings of the running responder. Read-only."""
    return await read_app_settings(console.services, console.self_checks)


PAGES = (
    Page("/needs-decision", "Needs a decision", "needs_decision.html", NeedsDecision, needs_decision),
    Page("/log", "Log", "log.html", AccountLog, log),
    Page("/health", "Health", "health.html", Health, health),
    Page("/settings", "Settings", "settings.html", AppSettings, settings),
)
FIRST = PAGES[0].path

"""Gathers the facts for `bypassctl doctor`. A part that cannot be read does not stop the others."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from bypass_responder.errors import NotFoundError, ResponderError
from bypass_responder.operating.doctor.diagnosis import Facts, Names, Standing
from bypass_responder.operating.exchange_read import read_organization
from bypass_responder.operating.self_check import probed_queues, run_self_check
from bypass_responder.operating.status import read_status
from bypass_responder.rights import Api

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.model.self_check import SelfCheck, StorageCheck, Token
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings


async def gather_facts(services: Services, checks: SelfChecks, environment: Mapping[str, str]) -> Facts:
    """Gather all facts with the caller's identity. Permissions: those of a reader (docs/permissions.md)."""
    settings = services.settings
    caller = await checks.tokens.inspect(Api.GRAPH)
    stored, stored_problem = await _stored(checks)
    as_app = is_app(caller, stored, settings, environment)
    live = await run_self_check(services, checks) if as_app else None
    here = live.storage if live else await checks.storage.probe(probed_queues(settings, person=True))
    standing, standing_problem = await _standing(services, checks, here, live or stored)
    known_names = names(environment, settings)
    principals = _principals(live or stored, environment, known_names)
    granted = await _granted(checks, principals, caller, as_app=as_app)
    return Facts(
        now=services.clock(),
        settings=settings,
        names=known_names,
        caller=caller,
        here=here,
        stored=stored,
        stored_problem=stored_problem,
        live=live,
        standing=standing,
        standing_problem=standing_problem,
        grants=granted.grants,
        grants_problem=granted.problem,
        gone=granted.gone,
        worker_may=await read_organization(services),
    )


def is_app(caller: Token, stored: SelfCheck | None, settings: Settings, environment: Mapping[str, str]) -> bool:
    """Return True when the caller has the identity of the app, which allows a live self-check."""
    if caller.problem or caller.delegated:
        return False
    theirs = stored.token(Api.GRAPH) if stored else None
    if theirs is not None and theirs.object_id:
        return theirs.object_id == caller.object_id
    if settings.azure_client_id:
        return settings.azure_client_id == caller.application_id
    return "IDENTITY_ENDPOINT" in environment


def names(environment: Mapping[str, str], settings: Settings) -> Names:
    """Return the resource names for the fix commands, from the deployment outputs in this shell."""
    given = {
        "app": environment.get("RESPONDER_APP_NAME", ""),
        "worker": environment.get("WORKER_APP_NAME", ""),
        "group": environment.get("AZURE_RESOURCE_GROUP", ""),
        "topic": environment.get("EVENT_TOPIC_NAME", ""),
        "worker_principal": environment.get("WORKER_PRINCIPAL_ID", "").lower(),
        "console_principal": environment.get("CONSOLE_PRINCIPAL_ID", "").lower(),
        "account": _account(settings),
    }
    return Names(**{name: value for name, value in given.items() if value})


def _account(settings: Settings) -> str:
    if settings.storage.table_service_uri:
        return (urlsplit(settings.storage.table_service_uri).hostname or "").partition(".")[0]
    secret = settings.storage.connection_string
    parts = dict(part.partition("=")[::2] for part in secret.get_secret_value().split(";")) if secret else {}
    return parts.get("AccountName", "")


async def _stored(checks: SelfChecks) -> tuple[SelfCheck | None, str]:
    try:
        return await checks.store.last(), ""
    except ResponderError as problem:
        return None, str(problem)


async def _standing(
    services: Services, checks: SelfChecks, here: StorageCheck, app: SelfCheck | None
) -> tuple[Standing | None, str]:
    """Return the status, by the clock of storage and with the app's SWEEP_OVERDUE_MINUTES."""
    skew = timedelta(seconds=here.skew_seconds or 0)
    settings = services.settings
    if app is not None:
        settings = settings.model_copy(update={"sweep_overdue_minutes": app.sweep_overdue_minutes})
    clock = services.clock
    corrected = dataclasses.replace(services, settings=settings, clock=lambda: clock() - skew)
    try:
        status, ran = await read_status(corrected), await checks.store.runs()
        access = await services.access.state()
    except ResponderError as problem:
        return None, str(problem)
    requested_at = None if status.sweep.state == "outstanding" else status.sweep.created_at
    standing = Standing(
        cursor=status.cursor,
        alerts=status.alerts,
        doubt=status.doubt,
        hunting_off_because=status.hunting.off_because,
        access_problem=f"{access.problem} Fix: {access.fix}" if access.problem else "",
        ran=ran,
        first_at=status.sweep.first_at,
        sweep_requested_at=requested_at,
    )
    return standing, ""


def _principals(app: SelfCheck | None, environment: Mapping[str, str], known: Names) -> list[str]:
    """Return the object ids of the identities. The app's own token takes precedence over this shell."""
    token = app.token(Api.GRAPH) if app else None
    responder = (token.object_id if token else "") or environment.get("RESPONDER_PRINCIPAL_ID", "").lower()
    return [each for each in (responder, known.worker_principal, known.console_principal) if each]


class _Granted(NamedTuple):
    grants: dict[str, Mapping[str, datetime | None]] | None
    gone: tuple[str, ...] = ()
    problem: str = ""


async def _granted(checks: SelfChecks, principals: list[str], caller: Token, *, as_app: bool) -> _Granted:
    """Read the application permissions of the identities. The app itself may not read the directory."""
    if checks.granted is None or as_app:
        return _Granted(None, problem="the app may not read the directory")
    if caller.problem:
        return _Granted(None, problem="not signed in (az login)")
    if not principals:
        return _Granted(None, problem="the app's identity is unknown (set RESPONDER_PRINCIPAL_ID)")
    grants: dict[str, Mapping[str, datetime | None]] = {}
    gone = []
    for principal in principals:
        try:
            held = await checks.granted.assignments(principal)
        except NotFoundError:
            gone.append(principal)
        except ResponderError as problem:
            return _Granted(None, problem=str(problem))
        else:
            grants[principal] = {each.role_id: each.granted_at for each in held}
    return _Granted(grants, tuple(gone))

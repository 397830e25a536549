"""What bypassctl can check of a line of the drill without a person. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.model.base import counted, moment
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.finding import RECORDS, Source
from bypass_responder.model.listing import IndexFilter
from bypass_responder.model.step import CONTROLS, Effect
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.doctor.gather import gather_facts
from bypass_responder.operating.incidents.listing import list_incidents
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.incidents.view import IncidentView
from bypass_responder.operating.status import read_status
from bypass_responder.operating.verify_log import verify_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from bypass_responder.operating.drill.report import Drill
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

Seen = tuple[bool, str]
"""Whether the expected is there, and what is there instead or as well."""


@dataclass(frozen=True)
class Scene:
    """Where the drill takes place."""

    services: Services
    checks: SelfChecks
    environment: Mapping[str, str]


async def incident_of(scene: Scene, drill: Drill, since: datetime) -> IncidentView | None:
    """Return the account's newest incident of the drill.

    Lines before the repeated cmdlet see none after it.
    """
    again = drill.done_at.get("again")
    until = again if again and since < again else None
    wanted = IndexFilter(kinds=("incident",), account=drill.account, since=drill.began_at, until=until)
    found = (await list_incidents(wanted, scene.services, limit=1)).entries
    return await read_incident(found[0].id, scene.services) if found else None


async def doctor(scene: Scene, _drill: Drill, _since: datetime) -> Seen:
    """Return what doctor finds."""
    found = diagnose(await gather_facts(scene.services, scene.checks, scene.environment))
    missed = [it.what for it in found.unchecked if it.essential]
    return not found.problems and not missed, "; ".join([*(it.id for it in found.problems), *missed]) or "no problem"


async def account(scene: Scene, drill: Drill, _since: datetime) -> Seen:
    """Return what the directory, the allowlist and the app's rules have of the account."""
    there = await scene.services.directory.find(drill.account)
    if there is None:
        return False, "no such account"
    rules = (await read_status(scene.services)).rules
    wrong = {
        "disabled": not there.account_enabled,
        "synchronized": there.on_premises_sync_enabled,
        "on the allowlist": await scene.services.allowlist.get(there.object_id) is not None,
        "protected": rules is not None and there.object_id in rules.protected,
    }
    return not any(wrong.values()), ", ".join(name for name, is_so in wrong.items() if is_so) or str(there)


async def swept(scene: Scene, drill: Drill, _since: datetime) -> Seen:
    """Return when the last complete sweep began."""
    at = (await read_status(scene.services)).sweep.complete_at
    return at is not None and at > drill.began_at, f"last complete sweep: {_time(at)}"


def _time(at: datetime | None) -> str:
    return moment(at) if at else "none"


async def _enabled(scene: Scene, drill: Drill) -> bool | None:
    there = await scene.services.directory.find(drill.account)
    return there.account_enabled if there else None


async def unchanged(scene: Scene, drill: Drill, since: datetime) -> Seen:
    """Return whether the account is enabled and bypassed."""
    found, enabled = await incident_of(scene, drill, since), await _enabled(scene, drill)
    bypass = found.now.bypass if found else None
    return enabled is True and bypass == "on", f"enabled: {enabled}, bypass: {bypass or 'unknown'}"


async def blocked(scene: Scene, drill: Drill, _since: datetime) -> Seen:
    """Return whether the account is disabled."""
    enabled = await _enabled(scene, drill)
    return enabled is False, f"enabled: {enabled}"


async def released(scene: Scene, drill: Drill, _since: datetime) -> Seen:
    """Return whether the account is enabled."""
    enabled = await _enabled(scene, drill)
    return enabled is True, f"enabled: {enabled}"


async def log(scene: Scene, _drill: Drill, _since: datetime) -> Seen:
    """Return the problems of the response log."""
    problems = (await verify_log(scene.services.ledger, scene.services.checkpoints)).problems
    return not problems, counted(len(problems), "problem")


async def worker_stopped(scene: Scene, _drill: Drill, since: datetime) -> Seen:
    """Return whether the sweep is overdue."""
    alerts = (await read_status(scene.services)).alerts
    return any(it.id == "sweep_overdue" and it.since > since for it in alerts), ", ".join(it.id for it in alerts)


async def worker_back(scene: Scene, _drill: Drill, since: datetime) -> Seen:
    """Return whether a sweep since then is complete, and none is overdue."""
    found = await read_status(scene.services)
    at = found.sweep.complete_at
    overdue = any(it.id == "sweep_overdue" for it in found.alerts)
    return at is not None and at > since and not overdue, f"last complete sweep: {_time(at)}"


async def polled(scene: Scene, _drill: Drill, since: datetime) -> Seen:
    """Return whether a poll succeeded since then."""
    cursor = (await read_status(scene.services)).cursor
    at = cursor.last_success_at if cursor else None
    return at is not None and at > since, f"last poll: {_time(at)}"


def of_incident(check: Callable[[IncidentView, datetime], bool]) -> Callable[[Scene, Drill, datetime], Awaitable[Seen]]:
    """Return a probe of the newest incident."""

    async def probe(scene: Scene, drill: Drill, since: datetime) -> Seen:
        found = await incident_of(scene, drill, since)
        return (check(found, since), f"{found.id}: {found.state}") if found else (False, "no incident yet")

    return probe


def _contained(found: IncidentView, _since: datetime) -> bool:
    effects = {it.control: it.effect for it in found.controls}
    return all(effects.get(kind) is Effect.EFFECTIVE for kind in CONTROLS) and found.blind.end is not None


def _again(found: IncidentView, since: datetime) -> bool:
    approved = any(it.decision is DecisionKind.APPROVE for it in found.decisions)
    repeated = found.flapping or found.follows is not None
    return found.opened_at > since and _contained(found, since) and repeated and not approved


PROBES: dict[str, Callable[[Scene, Drill, datetime], Awaitable[Seen]]] = {
    "doctor": doctor,
    "account": account,
    "swept": swept,
    "observed": of_incident(lambda found, _: found.status == "observed"),
    "swept_on": of_incident(lambda found, _: any(it.source is Source.SWEEP for it in found.evidence)),
    "unchanged": unchanged,
    "fed": of_incident(lambda found, _: any(it.source in RECORDS for it in found.evidence)),
    "contained": of_incident(_contained),
    "blocked": blocked,
    "log": log,
    "rechecked": of_incident(
        lambda found, _: any(it.after_hours == 1 and it.done and "off" in it.result for it in found.rechecks)
    ),
    "again": of_incident(_again),
    "released": released,
    "worker_stopped": worker_stopped,
    "worker_back": worker_back,
    "polled": polled,
}
"""By line. A line that is not here, only a person can see."""

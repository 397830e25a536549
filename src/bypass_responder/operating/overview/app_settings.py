"""The settings of the running responder, as its self-check and its last run recorded them. Read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder import __version__
from bypass_responder.case.rules import in_force
from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.finding import Source
from bypass_responder.operating.status import measured_delays
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.operating.timeline import Cost
    from bypass_responder.services import Services


class Sensor(Value):
    """One way of noticing a bypass, and how long it took lately."""

    name: str
    schedule: str
    """Empty: it is not ours."""
    median_minutes: float | None
    """From the bypass to its finding, over the newest incidents; None: not measured."""
    incidents: int


class AppSettings(Value):
    """The settings page. Without a self-check, what only that knows is None or empty."""

    read_at: Utc
    tenant_id: str
    mode: str | None
    """As the last run of the app had it. None: it has not run yet."""
    protected: tuple[str, ...]
    automatic_controls: tuple[str, ...]
    limits: dict[str, str]
    schedules: dict[str, str]
    sensors: tuple[Sensor, ...]
    set: tuple[str, ...]
    """Names of the settings that are set."""
    as_of: Utc | None
    """The time of the self-check."""
    version: str | None
    console_version: str


async def read_app_settings(services: Services, checks: SelfChecks) -> AppSettings:
    """Return the settings of the running app."""
    rules = in_force((await open_session(TENANT_TARGET, services)).case)
    try:
        check = await checks.store.last()
    except InputError:
        check = None
    schedules = dict(check.schedules) if check else {}
    return AppSettings(
        read_at=services.clock(),
        tenant_id=services.settings.tenant_id,
        mode=rules.mode if rules else None,
        protected=tuple(rules.protected) if rules else (),
        automatic_controls=check.automatic_controls if check else (),
        limits=dict(check.limits) if check else {},
        schedules=schedules,
        sensors=_sensors(schedules, await measured_delays(services)),
        set=check.settings if check else (),
        as_of=check.at if check else None,
        version=check.version if check else None,
        console_version=__version__,
    )


SCHEDULES = {
    Source.FEED: "POLL_SCHEDULE",
    Source.HUNTING: "HUNTING_SCHEDULE",
    Source.SWEEP: "SWEEP_SCHEDULE",
    Source.HINT: "",
}
"""Each sensor, and the setting that says when it runs; alerts come from outside."""


def _sensors(schedules: Mapping[str, str], delays: Mapping[str, Cost]) -> tuple[Sensor, ...]:
    return tuple(
        Sensor(
            name=source.value,
            schedule=schedules.get(name, ""),
            median_minutes=delays[source.value].median_minutes if source.value in delays else None,
            incidents=delays[source.value].incidents if source.value in delays else 0,
        )
        for source, name in SCHEDULES.items()
    )

"""Reports of incidents that the responder made on fakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bypass_responder.operating.report.incident_report import IncidentReport, read_report
from tests.world import ALEX

if TYPE_CHECKING:
    from tests.world import World

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "incident-report.schema.json"


async def report_of(world: World, target: str = ALEX) -> IncidentReport:
    """The report of the newest incident of a target."""
    return await read_report((await world.incidents(target))[-1].id, world.services, made_by="auditor@contoso.com")

"""The report of an incident: a ZIP to download, and its JSON in the API."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from bypass_responder.console.access import API, PrincipalDep, require
from bypass_responder.console.context import ConsoleDep, IncidentId
from bypass_responder.console.principal import Role
from bypass_responder.operating.report.files import archive_of, files_of
from bypass_responder.operating.report.incident_report import IncidentReport, read_report

PATH = "/incidents/{incident_id}/report"
READER = [Depends(require(Role.READ))]
pages = APIRouter(include_in_schema=False, dependencies=READER)
api = APIRouter(prefix=API, dependencies=READER)


@pages.get(PATH)
async def download(console: ConsoleDep, who: PrincipalDep, incident_id: IncidentId) -> Response:
    """Return the files of the report as a ZIP.

    The console cannot read checkpoints, so the log is not verified.
    """
    made = await read_report(incident_id, console.services, made_by=who.name)
    name = f"incident-{made.incident.id}"
    headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
    return Response(archive_of(files_of(made), name), media_type="application/zip", headers=headers)


@api.get(PATH, summary="Incident report", operation_id="incident_report")
async def incident_report(console: ConsoleDep, who: PrincipalDep, incident_id: IncidentId) -> IncidentReport:
    """Return the report of an incident, as `report.json` has it."""
    return await read_report(incident_id, console.services, made_by=who.name)

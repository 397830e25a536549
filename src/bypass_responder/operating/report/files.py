"""The files of a report, with their hashes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING

from bypass_responder.model.base import iso
from bypass_responder.operating.report.page import page
from bypass_responder.operating.report.timeline_csv import timeline_csv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.operating.report.incident_report import IncidentReport

MANIFEST = "manifest.json"


def files_of(report: IncidentReport) -> dict[str, bytes]:
    """Return name to content: the page, the JSON, the timeline, and the manifest with their SHA-256."""
    files = {
        "report.html": page(report).encode(),
        "report.json": _json(report.model_dump(mode="json")),
        "timeline.csv": timeline_csv(report.incident.timeline).encode("utf-8-sig"),
    }
    return files | {MANIFEST: _json(_manifest(report, files))}


def archive_of(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return a ZIP with the files in one folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}", content)
    return out.getvalue()


def _manifest(report: IncidentReport, files: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "format": "bypass-responder/report-manifest/1",
        "incident": report.incident.id,
        "made_at": iso(report.made_at),
        "made_by": report.made_by,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def _json(value: object) -> bytes:
    """Return JSON in ASCII: marks of direction and control characters are escaped."""
    return (json.dumps(value, indent=2) + "\n").encode()

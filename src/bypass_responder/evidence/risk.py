"""What Entra ID Protection detected about an account. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, answer_of, detail, moment, part, text
from bypass_responder.model.question import Empty, Found, Item, Question


def risks_of(detections: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each detection, all of them notable unless dismissed."""
    return answer_of(detections, question, _item, complete=complete)


def _item(detection: Record, _question: Question) -> Item:
    event, state = text(detection, "riskEventType", "riskType"), text(detection, "riskState")
    return Item(
        at=moment(detection.get("activityDateTime")) or moment(detection.get("detectedDateTime")),
        what=event or "risk detection",
        detail=detail(
            level=text(detection, "riskLevel"),
            state=state,
            activity=text(detection, "activity"),
            address=text(detection, "ipAddress"),
            country=text(part(detection, "location"), "countryOrRegion"),
        ),
        notable=None if state.casefold() in {"dismissed", "confirmedsafe"} else f"risk: {event}",
    )

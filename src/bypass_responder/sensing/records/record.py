"""Builds an AuditRecord from a candidate; checks every field once, for relevant operations only."""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from typing import Any

from bypass_responder.detection import OUTCOMES
from bypass_responder.errors import InputError
from bypass_responder.model.operation import BYPASS_OPERATION, BYPASS_PARAMETER, folded, is_wanted
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.moments import Moment, read_moment
from bypass_responder.sensing.records.parameters import are_cut_off, parameters
from bypass_responder.sensing.records.parsed import Fields, Number
from bypass_responder.sensing.records.prefilter import names_cmdlet
from bypass_responder.sensing.records.shapes import Candidate, column_and_zone, dig, is_of_interest

_RAW_LIMIT = 1 << 20
_ESCAPED = re.compile(r"\\u00", re.IGNORECASE)

# Field → its names in the record itself (Sentinel's among them), then in a wrapper. The first that is not empty counts.
_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "id": (
        ("id", "officeid", "sourcerecordid"),
        ("identity", "recordid", "id", "event.id", "reportid", "eventdataid", "correlationid"),
    ),
    "organization_id": (("organizationid", "organizationid_"), ("organizationid", "organization.id")),
    "workload": (("workload", "officeworkload", "service"), ("workload", "service", "event.provider")),
    "result_status": (("resultstatus",), ("resultstatus", "activitystatusvalue", "resulttype")),
    "object_id": (("objectid", "officeobjectid"), ("objectid", "resourceid", "_resourceid")),
    "user_id": (("userid", "userid_"), ("userids", "userid", "userprincipalname", "user.id", "caller")),
    "user_type": (("usertype",), ("usertype",)),
    "client_ip": (
        ("clientip", "clientip_", "clientipaddress"),
        ("clientip", "client.address", "source.ip", "ipaddress"),
    ),
    "app_id": (("appid",), ()),
    "token_object_id": (("tokenobjectid",), ()),
}
_TIMES = (
    ("creationtime", "timegenerated", "start_time", "createddatetime"),
    ("creationdate", "createddatetime", "timestamp", "@timestamp", "timegenerated", "_time", "time"),
)
_IN_UTC = frozenset({"creationtime", "creationdate", "createddatetime"})
"""Times that the services write in UTC, whatever the export. Of others the zone is known only if it is written."""
_RESULTS = ("event.outcome", "eventresult", "operationresult", "status")
"""Names that Elastic, Sentinel's normalized tables and Splunk have for the result."""
_CUT_OFF = "Parameters were cut off by the export (ConvertTo-Json -Depth)"
_NUMBERS_TOO = frozenset({"user_type", "creation_time"})
_TRUTHS_TOO = frozenset({"result_status"})
_SWITCH = folded(BYPASS_PARAMETER)
_CMDLET = folded(BYPASS_OPERATION.removeprefix("Set-"))


def record_of(candidate: Candidate, *, text: str, day_first: bool | None = None) -> AuditRecord | None:
    """Return the record, or None for another operation. Raises InputError for an unreadable relevant one.

    ``text`` is the whole piece that the candidate stood in; ``day_first`` what the dates of the input show.
    """
    operation = _operation(candidate, text)
    if operation is None:
        return None
    if candidate.problem:
        raise candidate.problem
    if repeated := candidate.repeated():
        raise InputError(
            reason="duplicate_key", detail=f"{', '.join(repeated)[:200]} appears more than once (case-insensitive)"
        )
    if len(candidate.raw) > _RAW_LIMIT:
        raise InputError(reason="too_large", detail=f"the record is longer than {_RAW_LIMIT:,} characters")
    return _build(candidate, operation, day_first=day_first)


def _operation(candidate: Candidate, text: str) -> str | None:
    """Return the operation of interest, or None for another one. Raises InputError when none is named."""
    is_ours = partial(_is_ours, text=text)
    stated = candidate.operations()
    if not stated:
        raise candidate.problem or InputError(reason="missing_field", detail="Operation is missing")
    if odd := [type(value).__name__ for value in stated if type(value) is not str]:
        raise InputError(reason="wrong_type", detail=f"Operation is {odd[0]}, must be text")
    ours = next(filter(is_ours, stated), None)
    if ours and (folded(ours) == folded(BYPASS_OPERATION) or not _names_switch(candidate.inner)):
        return str(ours)
    if candidate.problem and names_cmdlet(candidate.raw.encode("utf-8", "replace")):
        raise candidate.problem
    if not ours and any(map(is_ours, candidate.wrapper_operations())):
        raise InputError(reason="other_operation", detail="the record and its wrapper name different operations")
    if any(map(_is_almost_ours, stated)):
        raise InputError(reason="other_operation", detail=f"{stated[0][:200]!r} is almost {BYPASS_OPERATION}")
    if _names_switch(candidate.inner) or _names_switch(candidate.outer):
        raise InputError(reason="other_operation", detail=f"{stated[0][:200]!r} names {BYPASS_PARAMETER}")
    return None


def _is_almost_ours(operation: str) -> bool:
    """Return whether the operation contains the cmdlet's name. The ``Get-`` cmdlet does not count."""
    name = folded(operation)
    return _CMDLET in name and not name.endswith(f"get{_CMDLET}")


def _names_switch(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a name in the value, not a text that anybody may have written, is the bypass parameter's."""
    if isinstance(value, list):
        return any(map(_names_switch, value))
    if not isinstance(value, Fields):
        return False
    names = [*map(folded, value), folded(value["name"]) if isinstance(value.get("name"), str) else ""]
    given = value.get("parameters")
    if _SWITCH in names or (isinstance(given, str) and _given_as_text(given)):
        return True
    return any(map(_names_switch, value.every_value()))


def _given_as_text(text: str) -> bool:
    try:
        return _SWITCH in map(folded, parameters(text))
    except InputError:
        return _SWITCH in folded(text)


def _is_ours(operation: object, *, text: str) -> bool:
    """A cmdlet that sets more than auditing matters only with a parameter that is about auditing."""
    if not isinstance(operation, str) or not is_of_interest(operation):
        return False
    return is_wanted(operation, text) or _ESCAPED.search(text) is not None


def _build(candidate: Candidate, operation: str, *, day_first: bool | None) -> AuditRecord:
    found = {field: _field(candidate, field) for field in _NAMES}
    result_note = ""
    if found["result_status"] is None:
        found["result_status"], result_note = _exporters_result(candidate)
    workload = folded(found["workload"] or "exchange")
    if folded(operation) == folded(BYPASS_OPERATION) and workload != "exchange":
        raise InputError(reason="other_workload", detail=f"the workload is {found['workload']!r}, not Exchange")
    created = _created(candidate, day_first=day_first)
    given, lost = _given(candidate, operation)
    found["id"] = found["id"] or (_made_id(operation, created, found, given) if candidate.is_row else None)
    if found["id"] is None:
        raise InputError(reason="missing_field", detail="Id is missing")
    for text in (*found.values(), *given.values(), *given, operation, candidate.raw):
        _check_text(text or "")
    return AuditRecord(
        operation=operation,
        creation_time=created.at,
        external_access=_truth(candidate.inner.get("externalaccess")),
        parameters=given,
        raw=candidate.raw,
        note="; ".join(filter(None, (created.note, lost, result_note))),
        **found,
    )


def _exporters_result(candidate: Candidate) -> tuple[str | None, str]:
    """Return the result under a SIEM's own name for it, with a note; None for a word that is no result."""
    for fields in (candidate.inner, candidate.outer):
        for name in _RESULTS:
            word = dig(fields, name)
            if isinstance(word, str) and folded(word) in OUTCOMES:
                return word, f"the result is from {name}; ResultStatus is missing"
    return None, ""


def _given(candidate: Candidate, operation: str) -> tuple[dict[str, str], str]:
    """Return the parameters, and a note when the export has lost them.

    Then the switch is unknown, and the other fields are kept.
    """
    given = candidate.parameters()
    if folded(operation) == folded(BYPASS_OPERATION) and are_cut_off(given):
        return {}, _CUT_OFF
    return parameters(given), ""


def _made_id(operation: str, created: Moment, found: dict[str, str | None], given: dict[str, str]) -> str:
    """An id for a row without one, the same in every export of the event."""
    facts = [folded(operation), created.at.isoformat(), found["object_id"], found["user_id"], sorted(given.items())]
    return f"row-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]}"


def _created(candidate: Candidate, *, day_first: bool | None) -> Moment:
    for fields, names in zip((candidate.inner, candidate.outer or candidate.inner), _TIMES, strict=True):
        for name in names:
            for zone, value in _times(fields, name):
                text = _time_text(name, value)
                if text is not None:
                    known = name in _IN_UTC if zone is None else zone == "utc"
                    return read_moment(text, utc=known, day_first=day_first)
    raise InputError(reason="missing_field", detail="CreationTime is missing")


def _times(fields: Fields, name: str) -> list[tuple[str | None, Any]]:
    """The zone in the field's name, if any (``TimeGenerated [Local Time]``), and its value."""
    stated = [(*column_and_zone(key), value) for key, value in fields.items()]
    return [(None, dig(fields, name)), *((zone, value) for column, zone, value in stated if zone and column == name)]


def _time_text(name: str, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Windows PowerShell writes a date as an object with ``value`` and ``DateTime``."""
    if isinstance(value, Fields):
        value = value.get("value") or value.get("datetime")
    return _text("creation_time", name, value)


def _field(candidate: Candidate, field: str) -> str | None:
    inner, outer = _NAMES[field]
    for name in inner:
        if (text := _text(field, name, candidate.inner.get(name))) is not None:
            return text
    for name in outer:
        if (text := _text(field, name, dig(candidate.outer, name))) is not None:
            return text
    return None


def _text(field: str, name: str, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    if value is None or value == "":
        return None
    if type(value) is str:
        return value
    if (isinstance(value, Number) and field in _NUMBERS_TOO) or (isinstance(value, bool) and field in _TRUTHS_TOO):
        return str(value)
    raise InputError(reason="wrong_type", detail=f"{name} is {type(value).__name__}, must be text")


def _truth(value: Any) -> bool | None:  # noqa: ANN401 - any JSON value
    if value is None or value == "" or isinstance(value, bool):
        return value if isinstance(value, bool) else None
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise InputError(reason="wrong_type", detail="ExternalAccess is neither true nor false")


def _check_text(text: str) -> None:
    """Return True for a NUL or a lone surrogate, which no store can hold."""
    if "\0" in text:
        raise InputError(reason="nul_character", detail="a field holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(reason="not_text", detail="a field holds half of a character (a lone surrogate)") from None

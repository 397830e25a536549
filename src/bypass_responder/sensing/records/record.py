"""An AuditRecord from a candidate: every field checked once, here, and only for the operations that matter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.model.operation import AUDIT_SWITCHES
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.moments import moment
from bypass_responder.sensing.records.parameters import parameters
from bypass_responder.sensing.records.parsed import Number
from bypass_responder.sensing.records.shapes import Candidate, dig, is_of_interest

if TYPE_CHECKING:
    from datetime import datetime

_RAW_LIMIT = 1 << 20
_ESCAPED = re.compile(r"\\u00", re.IGNORECASE)

# Field → its names in the record itself (Sentinel's among them), then in a wrapper. The first that is not empty counts.
_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "id": (("id", "officeid", "sourcerecordid"), ("identity", "recordid", "id", "event.id", "reportid")),
    "creation_time": (
        ("creationtime", "timegenerated", "timegenerated [utc]", "start_time", "start_time [utc]", "createddatetime"),
        ("creationdate", "createddatetime", "timestamp", "@timestamp", "timegenerated", "timegenerated [utc]"),
    ),
    "organization_id": (("organizationid", "organizationid_"), ("organizationid", "organization.id")),
    "workload": (("workload", "officeworkload", "service"), ("workload", "service", "event.provider")),
    "result_status": (("resultstatus",), ("resultstatus",)),
    "object_id": (("objectid", "officeobjectid"), ("objectid",)),
    "user_id": (("userid", "userid_"), ("userids", "userid", "userprincipalname", "user.id")),
    "user_key": (("userkey",), ()),
    "user_type": (("usertype",), ("usertype",)),
    "client_ip": (
        ("clientip", "clientip_", "clientipaddress"),
        ("clientip", "client.address", "source.ip", "ipaddress"),
    ),
    "app_id": (("appid",), ()),
    "token_object_id": (("tokenobjectid",), ()),
    "session_id": (("sessionid",), ()),
}
_NUMBERS_TOO = frozenset({"user_type"})
_TRUTHS_TOO = frozenset({"result_status"})
_REQUIRED = {"id": "Id", "creation_time": "CreationTime", "operation": "Operation"}


def record_of(candidate: Candidate, *, text: str) -> AuditRecord | None:
    """The record, or None when its operation is none of ours. Raises InputError when it is, and cannot be read.

    ``text`` is the whole piece that the candidate stood in.
    """
    operation = _operation(candidate)
    if operation is None or not _relevant(operation, text):
        return None
    if candidate.problem:
        raise candidate.problem
    if repeated := candidate.repeated():
        raise InputError(
            reason="duplicate_key", detail=f"{', '.join(repeated)[:200]} stands more than once, whatever its case"
        )
    if len(candidate.raw) > _RAW_LIMIT:
        raise InputError(reason="too_large", detail=f"the record is longer than {_RAW_LIMIT:,} characters")
    return _build(candidate, operation)


def _operation(candidate: Candidate) -> str | None:
    """The operation of interest, or None for another one. A piece that names none at all is not judged harmless."""
    stated = candidate.operations()
    if not stated:
        raise candidate.problem or InputError(reason="missing_field", detail="Operation is missing")
    if odd := next((value for value in stated if type(value) is not str), None):
        raise InputError(reason="wrong_type", detail=f"Operation is no text but {type(odd).__name__}")
    return next((value for value in stated if is_of_interest(value)), None)


def _relevant(operation: str, text: str) -> bool:
    """An organization-wide cmdlet matters only with the parameter that switches auditing."""
    switch = AUDIT_SWITCHES.get(operation.lower())
    return switch is None or switch.parameter.lower() in text.lower() or _ESCAPED.search(text) is not None


def _build(candidate: Candidate, operation: str) -> AuditRecord:
    found = {field: _field(candidate, field) for field in _NAMES}
    for field, name in _REQUIRED.items():
        if field in found and found[field] is None:
            raise InputError(reason="missing_field", detail=f"{name} is missing")
    if found["result_status"] is None and dig(candidate.outer, "event.outcome") == "failure":
        found["result_status"] = "failure"  # Elastic calls a missing status a success, so only a failure is believed
    given = parameters(candidate.inner.get("parameters"))
    for text in (*found.values(), *given.values(), *given, operation, candidate.raw):
        _check_text(text or "")
    created: datetime = moment(found.pop("creation_time") or "")
    external = _truth(candidate.inner.get("externalaccess"))
    return AuditRecord(
        operation=operation,
        creation_time=created,
        external_access=external,
        parameters=given,
        raw=candidate.raw,
        **found,
    )


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
    raise InputError(reason="wrong_type", detail=f"{name} is no text but {type(value).__name__}")


def _truth(value: Any) -> bool | None:  # noqa: ANN401 - any JSON value
    if value is None or value == "" or isinstance(value, bool):
        return value if isinstance(value, bool) else None
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise InputError(reason="wrong_type", detail="ExternalAccess is neither true nor false")


def _check_text(text: str) -> None:
    """What no store could hold and no person could type: a NUL, and half of a character (a lone surrogate)."""
    if "\0" in text:
        raise InputError(reason="nul_character", detail="a field holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(reason="not_text", detail="a field holds half of a character (a lone surrogate)") from None

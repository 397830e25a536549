"""What sensing makes of one audit record, whatever file or service it came from."""

from __future__ import annotations

from collections.abc import Mapping

from bypass_responder.model.base import Utc, Value

EXCERPT_LIMIT = 4000


def printable(text: str) -> str:
    r"""Return the text with control, format, bidirectional and unassigned characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def excerpt(text: str) -> str:
    """At most ``EXCERPT_LIMIT`` characters of the text, printable."""
    return printable(text[:EXCERPT_LIMIT])[:EXCERPT_LIMIT]


class AuditRecord(Value):
    """One unified audit log record of an operation that detection reads.

    Field names follow the Management Activity API schema. Text fields are as found (trimmed of nothing); a missing
    field is None, never an empty guess. ``parameters`` maps the parameter names as typed by the caller to text.
    """

    id: str
    creation_time: Utc
    operation: str
    organization_id: str | None = None
    workload: str | None = None
    result_status: str | None = None
    object_id: str | None = None
    user_id: str | None = None
    user_type: str | None = None
    client_ip: str | None = None
    app_id: str | None = None
    token_object_id: str | None = None
    external_access: bool | None = None
    parameters: Mapping[str, str]
    raw: str
    """The record's own JSON text (or the CSV row as JSON), for the evidence."""
    note: str = ""
    """What an export has lost: an ambiguous day, an unknown time zone, Parameters cut off. Empty for most records."""


class Unreadable(Value):
    """Input that could not be read. Kept and shown, never acted on, never dropped.

    ``reason`` is a machine-readable word (``not_json``, ``not_an_object``, ``duplicate_key``, ``wrong_type``,
    ``missing_field``, ``other_tenant``, ``too_large`` …); ``where`` is its place in the source.
    """

    reason: str
    detail: str
    source: str
    where: str
    excerpt: str
    """At most 4,000 characters of the input, control characters escaped."""
    names_cmdlet: bool = False
    """The unread text names the cmdlet or its parameter: a bypass may be in it."""

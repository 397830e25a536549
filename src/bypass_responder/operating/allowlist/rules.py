"""What a tool accepts in an allowlist entry. Each problem names the field and the fix. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bypass_responder.model.base import Value, last_moment_of

if TYPE_CHECKING:
    from bypass_responder.model.account import AllowlistEntry
    from bypass_responder.settings import Settings

REASONS = ("archiving", "legal_hold", "compliance_export", "migration", "vendor", "backup", "other")
ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\.]+(\.[^\s@,;:<>()\[\]\"\\.]+)+")
"""An e-mail address, or a user principal name."""
MARKUP = re.compile(r"<[A-Za-z/!?]")
LONGEST = {"reason_class": 40, "justification": 1000, "owner": 256, "ticket": 100, "documentation": 500}
"""Characters of each field."""
REQUIRED = ("reason_class", "justification", "owner", "ticket")


class Fields(Value):
    """The fields of an entry that a person writes."""

    reason_class: str
    justification: str
    owner: str
    ticket: str
    expires_at: datetime
    documentation: str = ""


def fields_of(entry: AllowlistEntry) -> Fields:
    """Return the fields of an entry that a person writes."""
    return Fields(**{name: getattr(entry, name) for name in Fields.model_fields})


def problems_of(fields: Fields, settings: Settings, *, now: datetime, before: Fields | None = None) -> list[str]:
    """Return what is wrong with the fields, each with the fix.

    A field that is as ``before`` is not judged again.
    """
    found = []
    for name, longest in LONGEST.items():
        text = getattr(fields, name)
        if before is None or text != getattr(before, name):
            found += _text_problems(name, text, longest)
    if before is None or fields.reason_class != before.reason_class:
        found += _class_problems(fields.reason_class)
    if (before is None or fields.owner != before.owner) and fields.owner and not ADDRESS.fullmatch(fields.owner):
        found.append(f"owner {fields.owner!r:.80} is not an e-mail address; use one such as ops@contoso.com")
    if fields.reason_class == "vendor" or fields.documentation:
        found += _link_problems(fields, before)
    if before is None or fields.expires_at != before.expires_at:
        found += _expiry_problems(fields, settings.longest_days(fields.reason_class), now=now)
    return found


def text_problem(name: str, text: str) -> str:
    """Return why a text is refused, naming the character; empty when it is not."""
    odd = next((character for character in text if not character.isprintable()), None)
    if odd is not None:
        return f"{name} has an invisible or control character (U+{ord(odd):04X}); type the text again without it"
    return f"{name} has markup ({MARKUP.search(text)[0]}…); write plain text" if MARKUP.search(text) else ""  # type: ignore[index]


def _text_problems(name: str, text: str, longest: int) -> list[str]:
    if not text.strip():
        return [f"{name} is empty"] if name in REQUIRED else []
    if len(text) > longest:
        return [f"{name} has {len(text)} characters; at most {longest} are allowed"]
    problem = text_problem(name, text)
    return [problem] if problem else []


def _class_problems(reason_class: str) -> list[str]:
    if reason_class in REASONS or not reason_class.strip():
        return []
    return [f"reason_class {reason_class!r:.60} is invalid; use one of {', '.join(REASONS)}"]


def _link_problems(fields: Fields, before: Fields | None) -> list[str]:
    as_before = before is not None and (before.reason_class, before.documentation) == (
        fields.reason_class,
        fields.documentation,
    )
    if as_before or _is_link(fields.documentation):
        return []
    if not fields.documentation:
        return [
            "reason_class vendor needs documentation: the https:// link to the vendor's page that asks for the bypass"
        ]
    return [f"documentation {fields.documentation!r:.80} is not an https:// link"]


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and not parts.username and " " not in text


def _expiry_problems(fields: Fields, days: int, *, now: datetime) -> list[str]:
    if now < fields.expires_at <= last_moment_of(now + timedelta(days=days)):
        return []
    limits = f"use a day from today to {days} days ahead, the longest for reason_class {fields.reason_class}"
    return [f"expires {fields.expires_at:%Y-%m-%d} is out of range; {limits}"]

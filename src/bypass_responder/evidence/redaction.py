"""Subjects and bodies of messages out of raw records, whatever source they come from. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

REMOVED = "(removed)"
DEEPEST = 40
_NOT_A_LETTER = re.compile(r"[^a-z]")
SECRET = frozenset(
    {
        "subject",
        "emailsubject",
        "messagesubject",
        "mailsubject",
        "normalizedsubject",
        "conversationtopic",
        "threadtopic",
        "topic",
        "body",
        "bodies",
        "bodypreview",
        "bodytext",
        "bodyhtml",
        "uniquebody",
        "messagebody",
        "messagecontent",
        "messagepreview",
        "messagetext",
        "htmlbody",
        "textbody",
        "preview",
        "snippet",
        "internalmessage",
        "externalmessage",
    }
)
"""Names of fields, letters only, whose value is a subject or a body. A condition of a rule is none: it is evidence."""


def redacted(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without subjects and bodies, in objects, lists, name-value pairs and nested JSON texts."""
    return _redacted(value, 0)


def _redacted(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if depth > DEEPEST:
        return REMOVED
    if isinstance(value, Mapping):
        pair = _secret_pair(value)
        return {
            str(name): REMOVED
            if content not in (None, "") and (_is_secret(str(name)) or (pair and _folded(str(name)).endswith("value")))
            else _redacted(content, depth + 1)
            for name, content in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(each, depth + 1) for each in value]
    return _within(value, depth) if isinstance(value, str) else value


def _within(text: str, depth: int) -> str:
    """Return a text whose JSON, if it is JSON, is redacted."""
    if not text.lstrip().startswith(("{", "[", '"{', '"[')):
        return text
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return REMOVED if any(word in text.casefold() for word in ("subject", "body", "preview", "snippet")) else text
    clean = _redacted(inner, depth + 1)
    return text if clean == inner else json.dumps(clean, ensure_ascii=False)


def _secret_pair(value: Mapping[Any, Any]) -> bool:
    """Return True for ``{"Name": "Subject", "Value": …}``, and for a modified property of that name."""
    names = (content for name, content in value.items() if _folded(str(name)) in {"name", "displayname", "key"})
    return any(isinstance(name, str) and _is_secret(name) for name in names)


def _is_secret(name: str) -> bool:
    return _folded(name) in SECRET


def _folded(name: str) -> str:
    return _NOT_A_LETTER.sub("", name.casefold())

"""Subjects and bodies of messages out of raw records, whatever source they come from. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REMOVED = "(removed)"
DEEPEST = 40
_NOT_A_LETTER = re.compile(r"[^a-z]")
SECRET = frozenset(
    {
        "subjectline",
        "subjecttext",
        "conversationtopic",
        "threadtopic",
        "topic",
        "bodytext",
        "bodyhtml",
        "messagecontent",
        "messagetext",
        "internalmessage",
        "externalmessage",
        "clusterbyvalue",
    }
)
"""Names of fields, letters only, whose value is a subject or a body. A condition of a rule is none: it is evidence."""
ENDINGS = ("subject", "subjects", "body", "bodies", "preview", "snippet")
"""Of other such names, as ``emailSubject``, ``Item.Subject`` and ``uniqueBody``."""
_NAMES = frozenset({"name", "displayname", "key", "field", "property"})
"""Fields of a pair that hold its name."""
_VALUES = ("value", "values", "val", "text", "string", "content", "data")
"""Endings of the fields of a pair that hold its value."""
_LABEL = re.compile(
    r"""(?<![\\"'])[\\"']++(?P<quoted>[\w.\s-]{1,60})[\\"']++\s*[:=]|[{;,]\s*(?P<entry>[\w.-]{1,60})\s*="""
    r"""|<(?P<tag>[\w.:-]{1,60})[\s>]|^[ \t]*(?P<header>[\w-]{1,60}):[ \t]""",
    re.MULTILINE,
)
"""The name of a value in a text: in JSON that is cut or stands in other words, a hashtable, XML, a header of a message.

A search such as ``subject:invoice`` is none: it is what somebody looked for.
"""
_WORD = re.compile("subject|bod(?:y|ies)|preview|snippet|topic|message|clusterby", re.IGNORECASE)
"""Part of each of these names. A text of ASCII without any of them names none."""
_BLANK = "\ufeff\u200b \t\r\n"


def redacted(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without subjects and bodies.

    Also in lists, name-value pairs and nested JSON texts.
    """
    return _redacted(value, 0)


def _redacted(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if depth > DEEPEST:
        return REMOVED
    if isinstance(value, Mapping):
        pair = _secret_pair(value)
        return {
            str(name): REMOVED
            if _says_something(content) and (_is_secret(str(name)) or (pair and _folded(str(name)).endswith(_VALUES)))
            else _redacted(content, depth + 1)
            for name, content in value.items()
        }
    if isinstance(value, list | tuple):
        match value:
            case [str(name), str()] if _is_secret(name):
                return [name, REMOVED]
        return [_redacted(each, depth + 1) for each in value]
    return _within(value, depth) if isinstance(value, str) else value


def _says_something(content: Any) -> bool:  # noqa: ANN401 - any JSON value
    return content not in (None, "") and not isinstance(content, bool)


def _within(text: str, depth: int) -> str:
    """Return a text with its JSON redacted.

    A text that is no JSON and names a subject or a body is removed.
    """
    stripped = text.lstrip(_BLANK)
    if stripped.startswith(("{", "[", '"')):
        try:
            inner = json.loads(stripped, object_pairs_hook=_all_of)
        except (ValueError, RecursionError):
            cut = stripped.lstrip('"\\').startswith(("{", "["))
            if cut and any(word in text.casefold() for word in ENDINGS):
                return REMOVED
        else:
            clean = _redacted(inner, depth + 1)
            return text if clean == inner else json.dumps(clean, ensure_ascii=False)
    if text.isascii() and not _WORD.search(text):
        return text
    named = (name for found in _LABEL.finditer(text) for name in found.groups() if name)
    return REMOVED if any(map(_is_secret, named)) else text


def _all_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a name that it has several times, all values."""
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _secret_pair(value: Mapping[Any, Any]) -> bool:
    """Return True for ``{"Name": "Subject", "Value": …}``, and for a modified property of that name."""
    names = (content for name, content in value.items() if _folded(str(name)) in _NAMES)
    return any(isinstance(name, str) and _is_secret(name) for name in names)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    folded = _folded(name)
    return folded in SECRET or folded.endswith(ENDINGS)


def _folded(name: str) -> str:
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", name).casefold())

"""Subjects and bodies of messages, and secrets, out of raw records, whatever source they come from. Pure."""

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
PARTS = (
    "subject", "body", "bodies", "topic", "preview", "snippet", "messagecontent", "messagetext", "detectedvalue",
    "clusterbyvalue",
)  # fmt: skip
"""Parts of names, letters only, whose value is a subject, a body, or what data loss prevention found in one."""
ENDINGS = (
    "internalmessage", "externalmessage", "replymessage", "password", "passphrase", "secret", "secrettext",
    "accesstoken", "refreshtoken", "idtoken",
)  # fmt: skip
"""Ends of other such names, and of those of secrets."""
SUBJECTS = frozenset(
    {"předmět", "emne", "betreff", "asunto", "aihe", "objet", "sujet", "predmet", "naslov", "tárgy", "oggetto"}
    | {"onderwerp", "temat", "assunto", "subiect", "subiectul", "тема", "ämne", "konu", "件名"}
)
"""Subject as Outlook, Apple Mail, Thunderbird and Yahoo head a quoted message in other languages, without case.

The source: the labels that the test messages of crisp-oss/email-forward-parser have. Only as a whole name.
"""
_CONDITION = re.compile(r"(?:subject|body)(?:contains|matches)(?:words|patterns)\Z")
"""End of the name of a rule's condition, which is evidence."""
_NAMES = frozenset({"name", "displayname", "key", "field", "property"})
"""Fields of a pair that hold its name."""
_VALUES = ("value", "values", "val", "text", "string", "content", "data")
"""Endings of the fields of a pair that hold its value."""
_LABEL = re.compile(
    r"""(?<![\\"'])[\\"']++(?P<quoted>[\w.\s-]{1,60})[\\"']++\s*[:=]|[{;,]\s*(?P<entry>[\w.-]{1,60})\s*="""
    r"""|<(?P<tag>[\w.:-]{1,60})[\s>]|^[ \t]*(?P<header>[\w-]{1,60})(?:[ \t\xa0\u202f]?:[ \t\xa0]|\uff1a)""",
    re.MULTILINE,
)
"""The name of a value in a text: in JSON that is cut or stands in other words, a hashtable, XML, a header of a message.

A search such as ``subject:invoice`` is none: it is what somebody looked for.
"""
_IN_WORDS = re.compile(r"(?<![\w.\"'-])(?P<label>[\w.-]{1,60})[ \t\xa0\u202f]{0,3}(?:=(?!=)|:[ \t\xa0]|\uff1a)")
"""The name of a value anywhere in a text, such as ``subject=…``. In a query it is what somebody looked for."""
_WORD = re.compile(
    "subject|bod(?:y|ies)|preview|snippet|topic|message|clusterby|detected|pass|secret|token|"
    + "|".join(sorted(filter(str.isascii, SUBJECTS))),
    re.IGNORECASE,
)
"""Part of each of these names. A text of ASCII without any of them names none."""
_BLANK = "\ufeff\u200b \t\r\n"


def redacted(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without subjects, bodies and secrets.

    Also in lists, name-value pairs and nested JSON texts.
    """
    return _redacted(value, 0)


def _redacted(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if depth > DEEPEST:
        return REMOVED
    if isinstance(value, Mapping):
        names = _names_of(value)
        pair = any(map(_is_secret, names))
        searched = any(map(_is_query, names))
        return {
            str(name): REMOVED
            if _says_something(content) and (_is_secret(str(name)) or (pair and _folded(str(name)).endswith(_VALUES)))
            else _within(content, depth + 1, query=True)
            if isinstance(content, str) and (searched or _is_query(str(name)))
            else _redacted(content, depth + 1)
            for name, content in value.items()
        }
    if isinstance(value, list | tuple):
        match value:
            case [str(name), content] if _is_secret(name) and _says_something(content):
                return [name, REMOVED]
        return [_redacted(each, depth + 1) for each in value]
    return _within(value, depth) if isinstance(value, str) else value


def _says_something(content: Any) -> bool:  # noqa: ANN401 - any JSON value
    return content not in (None, "") and not isinstance(content, bool)


def _within(text: str, depth: int, *, query: bool = False) -> str:
    """Return a text with its JSON redacted.

    A text that is no JSON and names a subject or a body is removed.
    """
    stripped = text.lstrip(_BLANK)
    if stripped.startswith(("{", "[", '"')):
        try:
            inner = json.loads(stripped, object_pairs_hook=_all_of)
        except (ValueError, RecursionError):
            cut = stripped.lstrip('"\\').startswith(("{", "["))
            if cut and any(word in text.casefold() for word in PARTS):
                return REMOVED
        else:
            clean = _redacted(inner, depth + 1)
            return text if clean == inner else json.dumps(clean, ensure_ascii=False)
    if text.isascii() and not _WORD.search(text):
        return text
    labels = (_LABEL,) if query else (_LABEL, _IN_WORDS)
    composed = unicodedata.normalize("NFC", text)  # a separate mark is no letter, and would end a name
    named = (name for label in labels for found in label.finditer(composed) for name in found.groups() if name)
    return REMOVED if any(map(_is_secret, named)) else text


def _all_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a name that it has several times, all values."""
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _names_of(value: Mapping[Any, Any]) -> list[str]:
    """Return the name in ``{"Name": "Subject", "Value": …}``, and that of a modified property."""
    names = (content for name, content in value.items() if _folded(str(name)) in _NAMES)
    return [name for name in names if isinstance(name, str)]


def _is_query(name: str) -> bool:
    return _folded(name).endswith("query")


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    folded = _folded(name)
    if unicodedata.normalize("NFKC", name).casefold() in SUBJECTS:
        return True
    return folded.endswith(ENDINGS) or (any(part in folded for part in PARTS) and not _CONDITION.search(folded))


def _folded(name: str) -> str:
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", name).casefold())

"""Microsoft Graph calls with an account's tokens: mail and files read without Exchange's audit. Pure.

The address of a call may hold what somebody searched for. What follows its question mark or ``$search=``, or stands in
the brackets of a search, is dropped, however it is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from bypass_responder.evidence.audit_fields import Record, detail, gathered, text
from bypass_responder.evidence.groups import Group, grouped
from bypass_responder.model.question import Empty, Found, Item, Question

READS = (
    (re.compile(r"/messagerules(?:[/(]|\Z)|/mailboxsettings(?:[/(]|\Z)"), "rules or settings of a mailbox"),
    (re.compile(r"/(?:chats|channels)(?:[/(]|\Z)"), "chat read"),
    (re.compile(r"/sendmail\Z|/(?:send|reply|replyall|forward)\Z"), "mail sent"),
    (re.compile(r"/(?:messages|mailfolders|mailsearchfolders)(?:[/(]|\Z)"), "mail read"),
    (re.compile(r"/search/query\Z"), "search"),
    (re.compile(r"/(?:content|zip)\Z"), "file download"),
)
"""What a path says, without case; the first that fits. Paths of rules, chats and sending look like those of mail."""
_QUESTION = re.compile(r"\?|[&/;]?\$(?:search|filter)\s*=", re.IGNORECASE)
MOST_ENCODED = 5
"""How often a path may be encoded."""
_MARKS = "!#$&'()*+,/:;=?@[]"
"""Kept as they are; everything else is encoded once."""
_SEARCH = re.compile(r"((?:/|\.)search)\((?:.*\)|.*)", re.IGNORECASE | re.DOTALL)
_OPAQUE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[\w%+=-]{40,}|'[^']*'", re.IGNORECASE)


def calls_of(rows: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each kind of call, application, address, and whether it failed."""
    clean = [row | {"RequestUri": path_of(text(row, "RequestUri"))} for row in rows]
    groups = grouped(clean, question, _key, time="Timestamp")
    return gathered(clean, map(_item, groups), complete=complete)


def path_of(uri: str) -> str:
    """Return the path of a call, without the host, the query and the words of a search."""
    for _ in range(MOST_ENCODED):
        uri = unquote(uri)
    without_words = _SEARCH.sub(r"\1(…)", quote(uri, safe=_MARKS))
    plain = _QUESTION.split(without_words, maxsplit=1)[0]
    try:
        return urlsplit(plain).path.replace("//", "/")
    except ValueError:
        return plain


def kind_of(path: str) -> str:
    """Return what a call reads or does; empty for everything else."""
    folded = path.casefold().rstrip("/")
    return next((kind for pattern, kind in READS if pattern.search(folded)), "")


def _key(row: Record) -> tuple[str, ...]:
    path = text(row, "RequestUri")
    kind = kind_of(path)
    place = kind or _OPAQUE.sub("…", path)
    failed = " (failed)" if text(row, "ResponseStatusCode").startswith(("4", "5")) else ""
    return text(row, "RequestMethod"), place, text(row, "ApplicationId"), text(row, "IPAddress"), kind, failed


def _item(group: Group) -> Item:
    method, place, application, address, kind, failed = _key(group.first)
    dark = f", in the blind window: {group.in_the_dark}" if group.in_the_dark else ""
    return Item(
        at=group.began,
        what=f"{method} {place}".strip(),
        detail=detail(
            application=application,
            address=address,
            example=text(group.first, "RequestUri"),
            status=text(group.first, "ResponseStatusCode"),
        )
        | group.span,
        notable=f"{kind} over Microsoft Graph{failed}{dark}" if kind else None,
    )

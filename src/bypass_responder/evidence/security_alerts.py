"""Alerts of Defender and of data loss prevention that name an account. Pure.

The title of an alert of data loss prevention may hold a message's subject, its description what the message says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bypass_responder.evidence.audit_fields import Record, answer_of, detail, moment, objects, quoted_text, text
from bypass_responder.model.question import Empty, Found, Item, Question

_SUBJECT = re.compile(r"(?P<before>\bsubject\b)\W.*", re.IGNORECASE | re.DOTALL)
DROPPED = frozenset({"description", "recommendedActions", "comments", "subject", "alertPolicyName"})
OF_A_CLUSTER = {"clusterByValue", "query"}
"""Of messages that are alike: their subject may be what they have in common."""
MOST_DEPTH = 20


def alerts_of(alerts: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each alert that names the account."""
    names = {
        name.casefold()
        for name in (question.account.object_id, question.account.user_principal_name, question.account.app_id)
        if name
    }
    about = [_clean(alert) for alert in alerts if names & set(_texts(alert, 0))]
    return answer_of(about, question, _item, complete=complete)


def without_subject(title: str) -> str:
    """Return a title without the subject that it quotes."""
    return _SUBJECT.sub(r"\g<before> (removed)", title)


def _texts(value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield every text in a record, without case."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, str):
        yield value.casefold()
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each, depth + 1)


def _clean(alert: Record) -> Record:
    kept = {name: value for name, value in alert.items() if name not in DROPPED}
    evidence = [
        {name: value for name, value in each.items() if "clusterBy" not in each or name not in OF_A_CLUSTER}
        for each in objects(alert, "evidence")
    ]
    return kept | {"title": without_subject(text(alert, "title")), "evidence": evidence}


def _item(alert: Record, _question: Question) -> Item:
    severity = text(alert, "severity")
    return Item(
        at=moment(alert.get("createdDateTime")),
        what=f"alert {quoted_text(title)}" if (title := text(alert, "title")) else "alert",
        detail=detail(
            severity=severity,
            status=text(alert, "status"),
            category=text(alert, "category"),
            service=text(alert, "serviceSource"),
            incident=text(alert, "incidentId"),
            link=text(alert, "alertWebUrl"),
        ),
        notable=f"alert of severity {severity}" if severity.casefold() in {"medium", "high"} else None,
    )

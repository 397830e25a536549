"""A report as JSON: the whole of it, row by row. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import indent
from typing import Any

from bypass_responder.model.base import iso
from bypass_responder.operating.posture.overview import to_do
from bypass_responder.operating.posture.report import PostureReport, read_text
from bypass_responder.posture.baseline import Baseline
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.mailbox import Bypassed

FORMAT = "bypass-responder/posture/1"


def document_lines(report: PostureReport) -> Iterator[str]:
    """Yield the report as the text of a JSON object, mailbox by mailbox."""
    yield json.dumps(_without_mailboxes(report), indent=2).removesuffix("\n}") + ',\n  "mailboxes": ['
    separator = "\n"
    for row in report.rows:
        yield separator + indent(json.dumps(row_of(row, report), indent=2), "    ")
        separator = ",\n"
    yield "\n  ]\n}\n" if report.rows else "]\n}\n"


def _without_mailboxes(report: PostureReport) -> dict[str, Any]:
    found = report.found
    return {
        "format": FORMAT,
        "state": report.state,
        "clean": report.clean,
        "complete": not found.partial,
        "problems": list(found.problems),
        "made_at": iso(report.made_at),
        "read_at": read_text(found),
        "source": found.source,
        "compared_with": iso(found.compared_with) if found.compared_with else None,
        "filter": report.wanted.text or None,
        "baseline": found.measures.baseline.id,
        "baselines": [_baseline(each) for each in found.measures[:3]],
        "organization": found.organization.model_dump(mode="json"),
        "summary": report.summary.model_dump(mode="json"),
        "trend": [each.model_dump(mode="json") for each in report.trend],
        "to_do": [each.model_dump(mode="json") for each in to_do(report)],
        "watched_not_read": list(found.unseen),
        "gone": list(found.gone),
        "bypassed_without_mailbox": [_account(each, report) for each in found.without_mailbox],
    }


def row_of(row: MailboxPosture, report: PostureReport) -> dict[str, Any]:
    """Return one mailbox as a JSON object."""
    mailbox, verdict = row.mailbox, row.verdict
    return {
        "object_id": mailbox.object_id,
        "exchange_guid": mailbox.exchange_guid,
        "user_principal_name": mailbox.upn,
        "address": mailbox.address,
        "display_name": mailbox.display_name,
        "type": mailbox.type,
        "license": mailbox.license.value,
        "created_at": mailbox.created_at,
        "audited": verdict.audited.value,
        "why": list(verdict.why),
        "issues": list(verdict.issues),
        "bypassed": row.bypassed,
        "watched": row.watched,
        "delegated": mailbox.delegated,
        "new": row.new,
        "changed": [{"property": each.property, "change": each.text, "by": each.by or None} for each in row.changed],
        "settings": _settings(row),
        "logon_types": {
            logon.value: {
                "audited": each.audited.value,
                "pinned": each.pinned,
                "missing": {kind.value: list(actions) for kind, actions in each.missing.items()},
                "unknown_actions": list(each.unknown_actions),
            }
            for logon, each in verdict.logons.items()
        },
        "allowlist": _exemption(mailbox.object_id, report),
    }


def _settings(row: MailboxPosture) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in row.mailbox.audit._asdict().items()
    }


def _account(account: Bypassed, report: PostureReport) -> dict[str, Any]:
    return account._asdict() | {"allowlist": _exemption(account.object_id, report)}


def _exemption(object_id: str | None, report: PostureReport) -> dict[str, Any] | None:
    if (entry := report.exemptions.get(object_id or "")) is None:
        return None
    return {"ticket": entry.ticket, "expires_at": iso(entry.expires_at) if entry.expires_at else None}


def _baseline(baseline: Baseline) -> dict[str, Any]:
    return baseline.model_dump(mode="json", include={"id", "kind", "name", "date", "source", "url"})

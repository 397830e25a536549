"""Filing: what a transaction holds, in rows and in bytes."""

from __future__ import annotations

import json

from bypass_responder.adapters.ledger_entities import entity_of
from bypass_responder.case.draft import TRANSACTION_BYTES, Draft
from bypass_responder.case.filing import file_decided
from bypass_responder.model.case import Case
from bypass_responder.model.finding import Evidence, FindingState
from tests.world import ALEX, START, a_finding

LONGEST = 32 * 1024


def a_transaction_of(text: str) -> Draft:
    """Files as many as fit of 60 decided findings, each with this raw record."""
    raw = Evidence(text=text, length_bytes=len(text.encode()), sha256="0" * 64)
    found = [
        a_finding(id=f"alert-{number:02d}", state=FindingState.DECIDED, evidence=raw, incident_id=None)
        for number in range(60)
    ]
    draft = Draft(Case(target=ALEX, by_key={row.row_key: row for row in found}), now=START)
    file_decided(draft)
    return draft


def test_the_longest_records_fit_into_one_request() -> None:
    for text in ("\\" * LONGEST, '"' * LONGEST, "é" * (LONGEST // 2), "x" * LONGEST):
        draft = a_transaction_of(text)

        request = json.dumps([entity_of(ALEX, row) for row in draft.changed.values()], default=str)
        assert len(draft.changed) > 10
        assert len(request) < TRANSACTION_BYTES * 0.9


def test_short_records_are_filed_by_the_dozen() -> None:
    assert len(a_transaction_of("{}").changed) == 45

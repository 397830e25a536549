"""A record in the form of each product is, read again by the responder, the same record."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.reader import read_records
from detections.trial import FORMS, Form, fixtures

SAME = ("id", "operation", "object_id", "user_id", "organization_id", "workload")


def read(value: dict[str, Any]) -> AuditRecord:
    [record] = read_records(BytesIO(json.dumps([value]).encode()), source="fixture")
    assert isinstance(record, AuditRecord)
    return record


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.target}, {form.name}")
def test_the_responder_reads_every_form_as_one_record(form: Form) -> None:
    [record] = [each.record for each in fixtures() if each.name == "as Exchange logs it"]
    plain, shaped = read(record), read(form.shape(record))

    assert [getattr(shaped, name) for name in SAME] == [getattr(plain, name) for name in SAME]
    assert shaped.parameters == plain.parameters

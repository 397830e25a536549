"""The tables of the detection pack's document are those that the trial gives."""

from __future__ import annotations

from detections import report


def test_the_document_has_the_tables_as_they_are_now() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(), "run `make detections`"


def test_elastics_published_rule_fires_when_auditing_is_switched_on_again() -> None:
    assert "| switched off | no | no | yes |" in report.difference()

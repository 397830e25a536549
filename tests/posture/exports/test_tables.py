"""Files that are packed: gzip is read within a bound, a workbook is refused with what converts it."""

from __future__ import annotations

import gzip

import pytest

from bypass_responder.errors import InputError
from bypass_responder.posture.exports import tables
from bypass_responder.posture.exports.tables import read_table
from tests.posture.exports.files import ALEX, as_csv, as_json

PACKED = gzip.compress(as_json(ALEX), mtime=0)


@pytest.mark.parametrize("data", [as_json(ALEX), as_csv(ALEX), as_json(ALEX).decode().encode("utf-16")])
def test_a_gzipped_file_is_read_as_what_is_in_it(data: bytes) -> None:
    assert read_table(gzip.compress(data)) == read_table(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04" + b"x" * 100, "soffice --headless --convert-to csv FILE"),
        (gzip.compress(b"PK\x03\x04" + b"x" * 100), "soffice --headless --convert-to csv FILE"),
        (PACKED[:-9], "not a complete gzip file"),
        (PACKED[:10] + b"\xff" * 40, "not a complete gzip file"),
        (gzip.compress(PACKED), "gunzip FILE"),
        (gzip.compress(b""), "it is empty"),
    ],
    ids=["workbook", "packed workbook", "cut off", "corrupt", "packed twice", "empty"],
)
def test_what_cannot_be_read_says_in_a_line_what_helps(data: bytes, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_table(data)

    assert said in refused.value.detail
    assert "\n" not in refused.value.detail


def test_what_unpacks_to_far_more_than_an_export_is_refused() -> None:
    with pytest.raises(InputError, match="too_large"):
        read_table(gzip.compress(b"[" + b"{}," * (1 << 21) + b"{}]"))


def test_more_than_memory_holds_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 1 << 20)

    with pytest.raises(InputError, match="too_large"):
        read_table(gzip.compress(b" " * (1 << 21)))

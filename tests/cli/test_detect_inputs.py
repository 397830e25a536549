"""``bypassctl detect`` on compressed, foreign and repeated inputs, and how much it reports as read."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bypass_responder.cli import archives
from tests.cli.test_detect import a_file, found_in, kinds, run
from tests.sensing.builders import a_bypass, another, elastic_dotted, search_ual, sentinel, to_csv

ON = json.dumps([another(), a_bypass()]).encode()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name if "/" in name else name.replace("__", "."), content)
    return out.getvalue()


def workbook(*rows: list[Any]) -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


OFF_ROWS = list(map(list, zip(*search_ual(another()).items(), strict=True)))
ON_ROWS = list(map(list, zip(*search_ual(a_bypass()).items(), strict=True)))


def _text_alone(value: object) -> str:
    """Name a case by its text only: compressed bytes differ from second to second.

    Each worker collects the tests for itself, and their names must agree.
    """
    return value if isinstance(value, str) else ""


COMPRESSED = {
    "gzip": gzip.compress(ON),
    "gzip of two members": gzip.compress(ON[:100]) + gzip.compress(ON[100:]),
    "gzip with padding": gzip.compress(ON) + b"\0" * 100,
    "zip": zipped(export__json=ON, readme__json=b"[]"),
    "gzip in zip": zipped(export__gz=gzip.compress(ON)),
    "zip in gzip": gzip.compress(zipped(export__json=ON)),
    "workbook": workbook(*map(list, zip(*search_ual(a_bypass()).items(), strict=True))),
    "workbook with a title": workbook(["Audit log"], *map(list, zip(*sentinel(a_bypass()).items(), strict=True))),
    "workbook of one column": workbook(*([line] for line in to_csv(search_ual(a_bypass())).decode().splitlines())),
}


@pytest.mark.parametrize("content", COMPRESSED.values(), ids=COMPRESSED)
def test_compressed_files_are_opened(tmp_path: Path, content: bytes) -> None:
    assert kinds(run("--output", "json", a_file(tmp_path, content))) == ["on"]


def test_compressed_standard_input_is_opened() -> None:
    assert kinds(run("--output", "json", "-", content=COMPRESSED["zip"])) == ["on"]


def test_a_date_of_a_workbook_is_not_ambiguous(tmp_path: Path) -> None:
    names, cells = map(list, zip(*sentinel(a_bypass()).items(), strict=True))
    cells[names.index("TimeGenerated [UTC]")] = datetime(2026, 4, 2, 9, 15)  # noqa: DTZ001 - Excel has no zones

    (found,) = found_in(run("--output", "json", a_file(tmp_path, workbook(names, cells))))

    assert (found["occurred_at"], found["note"]) == ("2026-04-02T09:15:00Z", "")


def test_what_stands_before_the_end_of_a_cut_gzip_file_counts(tmp_path: Path) -> None:
    cut = gzip.compress(json.dumps(a_bypass()).encode() + b"\n" + b"x" * 10_000_000)[:-12]

    result = run("--output", "json", a_file(tmp_path, cut))

    assert kinds(result)[0] == "on"
    assert "cut_off" in [found.get("reason") for found in found_in(result)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(a__json=ON)[:-30], "cut_off"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(ON)))), "too_deep"),
        (workbook(["a", "b"], ["c", "d"]), "not_json"),
        (zipped(**{"xl/workbook.xml": b"x"}), "cut_off"),
        (b"PAR1" + b"\0" * 100, "not_json"),
    ],
    ids=_text_alone,
)
def test_a_file_that_cannot_be_opened_is_unreadable(tmp_path: Path, content: bytes, reason: str) -> None:
    result = run("--output", "json", a_file(tmp_path, content))

    assert ([found["reason"] for found in found_in(result)], result.exit_code) == ([reason], 2)


def test_what_comes_out_of_a_compressed_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_BYTES", 2_000_000)

    result = run("--output", "json", a_file(tmp_path, gzip.compress(b"[" + b" " * 50_000_000 + b"]")))

    assert "too_large" in [found["reason"] for found in found_in(result)]


@pytest.mark.parametrize("content", [b'{"a":1}', b"[]", b"", b"a,b\n1,2\n", b'{"operation":"add"}', b"x" * 10])
def test_an_input_without_any_audit_record_is_status_two(tmp_path: Path, content: bytes) -> None:
    result = run(a_file(tmp_path, content))

    assert "no audit records recognized" in result.stderr
    assert result.exit_code == 2


def test_what_a_file_of_no_known_format_is_and_what_is_taken_is_one_line() -> None:
    (found,) = found_in(run("--output", "json", "-", content=b"PAR1" + b"\0" * 100))

    assert found["detail"].startswith("a Parquet file; supported: JSON, .xlsx or a CSV")


def test_how_much_was_read_is_stated(tmp_path: Path) -> None:
    content = b"\n".join(json.dumps(another()).encode() for _ in range(5)) + b"\n"

    assert f"read {len(content):,} bytes, 5 lines, 5 records" in run(a_file(tmp_path, content)).stderr


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (json.dumps(another()).encode(), "1 line,"),
        (json.dumps(another()).encode() + b"\n", "1 line,"),
        (to_csv(another()).rstrip(), "2 lines,"),
        (to_csv(another()).replace(b"\r\n", b"\r"), "2 lines,"),
        (json.dumps(another(), indent=1).encode("utf-16"), "25 lines,"),
        ((json.dumps(another()) + "\n").encode("utf-16-le"), "1 line,"),
        (gzip.compress(json.dumps(another()).encode()), "1 line,"),
        (zipped(a__json=json.dumps(another()).encode(), b__json=json.dumps(another()).encode()), "2 lines,"),
        (b"", "0 lines,"),
    ],
    ids=_text_alone,
)
def test_the_last_line_counts_without_a_line_feed(tmp_path: Path, content: bytes, lines: str) -> None:
    assert f"bytes, {lines}" in run(a_file(tmp_path, content)).stderr


def test_of_a_workbook_its_bytes_and_rows_are_stated(tmp_path: Path) -> None:
    content = sheets(OFF_ROWS, [*OFF_ROWS, [], OFF_ROWS[1]])

    assert f"read {len(content):,} bytes, 5 rows of worksheets, 3 records" in run(a_file(tmp_path, content)).stderr


def test_of_a_workbook_beside_text_bytes_lines_and_rows_are_stated(tmp_path: Path) -> None:
    book = workbook(*OFF_ROWS)
    size = len(book) + len(ON)

    assert f"read {size:,} bytes, 1 line, 2 rows" in run(a_file(tmp_path, zipped(a__xlsx=book, b__json=ON))).stderr


MAC = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


def test_what_macos_adds_to_an_archive_is_skipped_with_one_line(tmp_path: Path) -> None:
    store = b"\0\0\0\x01Bud1\0"
    content = altered(
        zipped(a__json=ON), without="", **{"__MACOSX/._a.json": MAC, "b/._c.csv": MAC, ".DS_Store": store}
    )

    result = run("--output", "json", a_file(tmp_path, content))

    assert (kinds(result), result.stderr.count("3 of its members skipped, which macOS added")) == (["on"], 1)


def test_an_export_that_has_a_name_of_macos_is_read(tmp_path: Path) -> None:
    content = altered(zipped(a__json=b"[]"), without="", **{"__MACOSX/._a.json": ON})

    assert "on" in kinds(run("--output", "json", a_file(tmp_path, content)))


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (zipped(), "the zip archive has no file"),
        (zipped(**{"folder/": b""}), "the zip archive has no file"),
        (zipped(**{"__MACOSX/._a": MAC}), "the zip archive has no file"),
        (gzip.compress(zipped()), "the zip archive has no file"),
        (zipped(a__json=ON)[:-30], "the zip archive is cut off or damaged (File is not a zip file): copy or export it"),
        (workbook(*ON_ROWS)[:-30], "the zip archive is cut off or damaged (File is not a zip file): copy or export it"),
        (gzip.compress(ON)[:-12], "the compressed data is cut off or damaged (the gzip data ends too early): copy"),
    ],
    ids=("empty", "folders only", "macOS", "gzipped", "cut zip", "cut workbook", "cut gzip"),
)
def test_an_archive_that_has_nothing_to_read_says_what_to_do(tmp_path: Path, content: bytes, detail: str) -> None:
    result = run("--output", "json", a_file(tmp_path, content))

    assert (found_in(result)[-1]["detail"].startswith(detail), result.exit_code > 0) == (True, True)


def test_a_member_with_a_password_says_so(tmp_path: Path) -> None:
    content = bytearray(zipped(a__json=ON))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1

    (found,) = found_in(run("--output", "json", a_file(tmp_path, bytes(content))))

    assert found["detail"] == "the member is protected by a password: extract it first"


def test_a_day_number_of_excel_is_marked(tmp_path: Path) -> None:
    row = sentinel(a_bypass()) | {"TimeGenerated [UTC]": 46057.063}
    path = a_file(tmp_path, workbook(*map(list, zip(*row.items(), strict=True))))

    assert "2026-02-04T01:30:43?" in run(path).stdout


def test_records_that_were_passed_over_are_not_counted_but_on_demand(tmp_path: Path) -> None:
    path = a_file(tmp_path, json.dumps([another(Parameters=[])] * 3000, separators=(",", ":")).encode())

    assert "records not counted (--count)" in run(path).stderr
    assert "3,000 records" in run("--count", path).stderr


def test_an_event_that_is_in_several_files_counts_once(tmp_path: Path) -> None:
    paths = [a_file(tmp_path, a_bypass(), "one.json"), a_file(tmp_path, to_csv(search_ual(a_bypass())), "two.csv")]

    result = run("--output", "json", *paths)

    assert kinds(result) == ["on", "on"]
    assert "1 found (2 shown" in result.stderr


def test_a_row_without_an_id_has_the_same_one_in_every_export(tmp_path: Path) -> None:
    row = {name: value for name, value in elastic_dotted(a_bypass())["_source"].items() if name != "o365.audit.Id"}
    paths = [a_file(tmp_path, to_csv(row), "a.csv"), a_file(tmp_path, {"_source": row}, "b.json")]

    ids = [found["record_id"] for found in found_in(run("--output", "json", *paths))]

    assert (len(ids), len(set(ids)), ids[0][:4]) == (2, 1, "row-")


def test_the_table_marks_a_time_whose_zone_is_unknown(tmp_path: Path) -> None:
    row = sentinel(a_bypass()) | {"TimeGenerated [UTC]": ""}
    path = a_file(tmp_path, to_csv(row | {"TimeGenerated [Local Time]": "2026-03-02 9:15:30"}))

    assert "2026-03-02T09:15:30?" in run(path).stdout
    assert "the time zone is unknown" in run(path).stdout


def altered(content: bytes, *, without: str = "", **added: bytes) -> bytes:
    """The zip archive with a member left out, and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            if member.filename != without:
                new.writestr(member.filename, old.read(member))
        for name, data in added.items():
            new.writestr(name if "/" in name else name.replace("__", "."), data)
    return out.getvalue()


def sheets(*each: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in each:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


def test_an_export_beside_a_workbook_is_read(tmp_path: Path) -> None:
    content = altered(workbook(*OFF_ROWS), export__json=ON)

    assert kinds(run("--output", "json", a_file(tmp_path, content))) == ["on"]


def test_a_sheet_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    content = altered(sheets(OFF_ROWS, ON_ROWS), without="xl/worksheets/sheet2.xml")

    result = run("--output", "json", a_file(tmp_path, content))

    assert (kinds(result), result.exit_code) == (["unreadable"], 2)


def test_an_empty_sheet_is_nothing(tmp_path: Path) -> None:
    assert run(a_file(tmp_path, sheets(OFF_ROWS, []))).exit_code == 0


def test_a_cell_far_to_the_right_is_read(tmp_path: Path) -> None:
    far = [[*OFF_ROWS[0]], [*OFF_ROWS[1], *[""] * 1200, json.dumps(a_bypass())]]

    assert kinds(run("--output", "json", a_file(tmp_path, workbook(*far)))) == ["unreadable"]


@pytest.mark.timeout(60)
def test_a_row_with_a_number_beyond_all_rows_ends_the_sheet(tmp_path: Path) -> None:
    book = workbook(*OFF_ROWS)
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").replace(b'<row r="2"', b'<row r="999999999"')
    content = altered(book, without="xl/worksheets/sheet1.xml", **{"xl/worksheets/sheet1.xml": sheet})

    result = run("--output", "json", a_file(tmp_path, content))

    assert "1,048,576 rows" in found_in(result)[-1]["detail"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_member_that_is_corrupt_hides_no_other(tmp_path: Path, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.json", json.dumps([another()] * 300))
        archive.writestr("b.json", json.dumps([a_bypass()]))
    content = bytearray(out.getvalue())
    content[60:80] = bytes(byte ^ 0x5A for byte in content[60:80])

    result = run("--output", "json", a_file(tmp_path, bytes(content)))

    assert "cut_off" in [found.get("reason") for found in found_in(result)]
    assert kinds(result)[-1] == "on"


def test_a_member_whose_own_name_is_no_text_hides_no_other(tmp_path: Path) -> None:
    content = bytearray(zipped(a__json=ON, b__json=ON))
    content[6:8] = (0x800).to_bytes(2, "little")
    content[30:32] = b"\xff\xfe"

    assert kinds(run("--output", "json", a_file(tmp_path, bytes(content)))) == ["unreadable", "on"]


def test_what_comes_out_of_all_members_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_BYTES", 2 * len(ON))

    result = run("--output", "json", a_file(tmp_path, zipped(a__json=ON, b__json=ON, c__json=ON)))

    assert kinds(result)[:2] == ["on", "on"]
    assert found_in(result)[-1]["reason"] == "too_large"

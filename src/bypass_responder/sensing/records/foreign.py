"""What an input is that cannot be read, and what to export in its place."""

from __future__ import annotations

import re

TAKEN = "JSON, .xlsx or a CSV with a known column (AuditData, Operation, ActionType …), also in .gz and .zip"
_FORMATS = (
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"ElfFile", "a Windows event log (.evtx)"),
    (b"Obj\x01", "an Avro file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls)"),
    (b"PK\x03\x04", "a zip archive, or an Excel workbook"),
    (b"\x1f\x8b", "a gzip file"),
)
_CSV = "Export-Csv -NoTypeInformation, or ConvertTo-Json -Depth 10"
_CELLS = re.compile(r"(?:[^,;\t|]*[,;\t|]){2}")
_DATA = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d{1,2}/\d{1,2}/\d{4}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\w@\w+\.\w",
    re.IGNORECASE,
)
"""What stands in a row and in no header: a time, a date, a GUID, an address."""
_FIRST_LINE = 1 << 14
_TEXTS = (
    (re.compile(r"#< CLIXML|<Objs\s"), f"the output of Export-Clixml: Import-Clixml it, and write it with {_CSV}"),
    (
        re.compile(r"<(?:!doctype\s+)?html", re.IGNORECASE),
        "a web page, perhaps a sign-in page: download it again",
    ),
    (re.compile(r"\w+ +: [^\n]*\n(?:[^\n]*\n){0,3}?\w+ +: "), f"the output of Format-List: use {_CSV} in its place"),
    (re.compile(r"[^\n]*\n-+(?: +-+)+\s*\n"), f"the output of Format-Table: use {_CSV} in its place"),
)


def foreign(start: bytes, head: str) -> str:
    """Return what the input is and what to do; empty when its beginning does not show it."""
    if kind := next((name for mark, name in _FORMATS if start.startswith(mark)), ""):
        return f"{kind}; supported: {TAKEN}"
    text = head.lstrip()
    if what := next((what for form, what in _TEXTS if form.match(text)), ""):
        return what
    first = text[:_FIRST_LINE].partition("\n")[0]
    if _CELLS.match(first) and _DATA.search(first):
        return "a CSV without its header line: export it with the names of its columns, or add the line"
    return ""

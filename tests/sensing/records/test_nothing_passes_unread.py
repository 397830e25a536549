"""Bytes that pass the prefilter end as a record or as unreadable, in exports, the feed and alerts.

Records and exports of real shapes are altered as people, spreadsheets and broken software alter them. What is asserted
is little: it was seen. That each reader can fail this is shown with a fault put into it.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bypass_responder.cli import archives
from bypass_responder.detection import detect
from bypass_responder.model.change import BypassChange
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing import alert
from bypass_responder.sensing.feed import read_blob
from bypass_responder.sensing.records import lines, prefilter, reader, record, rows, shapes, text_buffer
from bypass_responder.sensing.records.pieces import Scan
from bypass_responder.sensing.records.prefilter import may_be_bypass, may_matter
from tests.fakes.feed import FakeAuditFeed
from tests.sensing.builders import ORGANIZATION, SHAPES, a_bypass, another, search_ual, sentinel, to_csv
from tests.tampering.family import FAMILY

Json = dict[str, Any]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CMDLET = "Set-MailboxAuditBypassAssociation"
OTHER = another(Parameters=[])
SPELLINGS: tuple[Callable[[str], str], ...] = (str.strip, str.lower, str.upper)
INVISIBLE = ("\u200b", "\u00a0", "\ufeff", "\u00ad", "\u2060", "\u202f")
DASHES = ("-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", "\uff0d", "")


# ---- how a record is altered ----------------------------------------------------------------------------------------
@st.composite
def spelled(draw: st.DrawFn) -> str:
    """The cmdlet's name with another case, another dash, spaces around or inside, zero-width characters."""
    name = draw(st.sampled_from((CMDLET, CMDLET.lower(), CMDLET.upper())))
    name = name.replace("-", draw(st.sampled_from(DASHES)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(name)))
        name = name[:at] + draw(st.sampled_from(INVISIBLE)) + name[at:]
    at = draw(st.integers(0, len(name)))
    name = name[:at] + draw(st.sampled_from(("", " ", "\t", "-"))) + name[at:]
    return draw(st.sampled_from(("", " ", "\n", "Exchange."))) + name + draw(st.sampled_from(("", "  ", "\r\n")))


@st.composite
def records(draw: st.DrawFn) -> Json:
    """A bypass record with odd spelling, order and case of names, missing fields or wrong types."""
    fields = a_bypass(Operation=draw(spelled()))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        if name != "Operation":
            fields[name] = draw(st.sampled_from((None, "", 5, [], {"a": 1}, "System.Object[]", "@{Name=Identity}")))
    order = draw(st.permutations(list(fields.items())))
    change = draw(st.sampled_from(SPELLINGS))
    return {change(name): value for name, value in order}


# ---- how an export is altered ---------------------------------------------------------------------------------------
def as_json(record: Json, draw: st.DrawFn) -> bytes:
    neighbor = draw(st.sampled_from(('{"Id":"a","Units":[""{"}]}', "nonsense", '{"Id":"b","Subject":"x', "{}", "[1]")))
    text = json.dumps(record, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from((None, 2))))
    other = json.dumps(OTHER)
    elements = draw(st.permutations([neighbor, text, other]))
    page = draw(st.sampled_from(("[{}]", '{{"value":[{}]}}', '{{"Stats":{{"a":1}},"Results":[{}]}}')))
    return page.format(",".join(elements)).encode("utf-8", "replace")


def as_lines(record: Json, draw: st.DrawFn) -> bytes:
    neighbor = draw(st.sampled_from(("{", "nonsense", "", '{"a":"b', "\ufeff")))
    first = json.dumps(OTHER)
    text = json.dumps(record, ensure_ascii=draw(st.booleans()))
    return draw(st.sampled_from(("\n", "\r\n"))).join([first, *draw(st.permutations([neighbor, text]))]).encode()


def as_rows(record: Json, draw: st.DrawFn) -> bytes:
    named = {"Operation": "", "UserId": "", "Id": "", "ObjectId": "x", "OrganizationId": "", "Workload": "Exchange"}
    low = {name.lower(): value for name, value in record.items()}
    flat = {name: low.get(name.lower()) or value for name, value in (named | {"ClientIP": "", "AppId": ""}).items()}
    flat |= {"Parameters": low.get("parameters") or [], "CreationTime": "2026-03-02T09:15:30"}
    row = draw(st.sampled_from((search_ual(flat) | {"AuditData": json.dumps(record)}, sentinel(flat), flat)))
    delimiter = draw(st.sampled_from(",;\t|"))
    content = to_csv(
        *draw(st.permutations([search_ual(OTHER), row])) if "AuditData" in row else (row,), delimiter=delimiter
    )
    head, _, body = content.decode().partition("\r\n")
    match draw(st.sampled_from(("plain", "sep", "stray quote", "one cell", "unnamed", "short", "title"))):
        case "sep":
            return f"sep={delimiter}\r\n{head}\r\n{body}".encode()
        case "stray quote":
            return f'{head}\r\nx{delimiter}"say "hi""{delimiter}y\r\n{body}'.encode()
        case "one cell":
            out = io.StringIO()
            csv.writer(out, delimiter=delimiter).writerows([line] for line in body.splitlines())
            return f"{head}\r\n{out.getvalue()}".encode()
        case "unnamed":
            return f"{head}{delimiter * 3}\r\n{body}".encode()
        case "short":
            return f"{head}\r\n{body[: len(body) // 2]}".encode()
        case "title":
            return f"Audit log search\r\n\r\n{head}\r\n{body}".encode()
    return content


def as_any_shape(record: Json, draw: st.DrawFn) -> bytes:
    shape: Callable[[Json], bytes] = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    low = {name.lower(): value for name, value in record.items()}
    return shape(a_bypass(Operation=low["operation"]))


def as_wrapped(record: Json, draw: st.DrawFn) -> bytes:
    text = json.dumps(record)
    wrapper = draw(
        st.sampled_from(
            (
                {"data": {"office365": record}, "rule": {"id": "91532"}},
                {"event": {"original": text}, "message": text},
                {"result": {"_raw": text, "sourcetype": "o365:management:activity"}},
                {"hits": {"hits": [{"_source": {"o365": {"audit": record}}}]}},
                {"tables": [{"columns": [{"name": name} for name in record], "rows": [list(record.values())]}]},
                {"unknown": [{"deeper": [record]}, {"x": 1}]},
            )
        )
    )
    return json.dumps(wrapper).encode()


@st.composite
def exports(draw: st.DrawFn, found: st.SearchStrategy[Json] = records()) -> bytes:  # noqa: B008 - a strategy is constant
    made = draw(st.sampled_from((as_json, as_lines, as_rows, as_any_shape, as_wrapped)))
    content = made(draw(found), draw)
    if made is not as_any_shape and draw(st.integers(0, 3)) == 0:
        content = content[: draw(st.integers(len(content) // 2, len(content)))]
    if draw(st.integers(0, 5)) == 0 and not content.startswith((b"\xff", b"\xfe")) and b"\0" not in content:
        content = content.decode("utf-8", "replace").encode(draw(st.sampled_from(("utf-16", "utf-8-sig", "utf-16-le"))))
    return content


# ---- what is asserted -----------------------------------------------------------------------------------------------
def seen(found: list[AuditRecord | Unreadable]) -> bool:
    """Whether there is a change, or something unreadable that says that it may hide one."""
    return any(
        item.names_cmdlet if isinstance(item, Unreadable) else isinstance(detect(item), BypassChange) for item in found
    )


def names_cmdlet(content: bytes) -> bool:
    """Whether the whole name of the cmdlet is still in the content, as a person would search for it."""
    texts = [content.decode(encoding, "ignore") for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    unescaped = [re.sub(r"\\+u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text) for text in texts]
    bare = [re.sub(r"[^a-z\"]|\\\\[nrt]", "", text.lower()) for text in unescaped]
    return any(CMDLET.lower().replace("-", "") in text for text in bare)


def by_detect(
    content: bytes, matches: Callable[[bytes], bool] = prefilter.may_matter
) -> list[AuditRecord | Unreadable]:
    found: list[AuditRecord | Unreadable] = []
    for part in archives.parts(io.BytesIO(content), "x"):
        assert part.stream
        found += reader.read_records(part.stream, source="x", scan=Scan(may_matter=matches))
    return found


def by_feed(content: bytes) -> list[AuditRecord | Unreadable]:
    async def read() -> list[AuditRecord | Unreadable]:
        feed = FakeAuditFeed()
        blob = ContentBlob(content_id="b", uri="", created=NOW, expires=NOW + timedelta(days=7))
        feed.publish(blob, content)
        return [item async for batch in read_blob.read_blob(feed, blob) for item in batch]

    return asyncio.run(read())


def by_alert(record: Json) -> bool:
    event = {"specversion": "1.0", "id": "1", "source": "siem", "type": "t", "data": record}
    answer = alert.read_alert(json.dumps(event).encode(), tenant_id=ORGANIZATION)
    return isinstance(answer, Unreadable) or bool(answer.records)


def must_be_seen(read: Callable[[bytes], list[AuditRecord | Unreadable]], content: bytes) -> None:
    if names_cmdlet(content):
        assert seen(read(content)), content


def bypasses(found: list[AuditRecord | Unreadable]) -> list[BypassChange | Unreadable]:
    """What `bypassctl detect` shows without `--family`, leaving out the place.

    The place counts what was passed over.
    """
    read = [item.model_copy(update={"where": ""}) if isinstance(item, Unreadable) else detect(item) for item in found]
    return [item for item in read if isinstance(item, (BypassChange, Unreadable))]


def by_both_filters(content: bytes) -> None:
    assert bypasses(by_detect(content, may_be_bypass)) == bypasses(by_detect(content)), content


def in_compressed_files(content: bytes) -> None:
    must_be_seen(lambda data: by_detect(gzip.compress(data)), content)


def in_exports(content: bytes) -> None:
    must_be_seen(by_detect, content)


def in_the_feed(content: bytes) -> None:
    must_be_seen(by_feed, content)


def in_alerts(found: Json) -> None:
    assert by_alert(found)


def by_the_prefilter(name: str) -> None:
    assert may_matter(json.dumps({"Operation": name}).encode())
    assert may_matter(json.dumps({"Operation": name}, ensure_ascii=False).encode())


@settings(max_examples=200)
@given(content=exports())
def test_exports_pass_nothing_unread(content: bytes) -> None:
    in_exports(content)


@st.composite
def with_tampering(draw: st.DrawFn) -> bytes:
    """A list or lines with a bypass, beside other ways to weaken auditing."""
    ways = [
        json.dumps(rows.positive)
        for rows in draw(st.lists(st.sampled_from(list(FAMILY.values())), min_size=1, max_size=3))
    ]
    first, between, last = draw(st.sampled_from((("", "\n", "\n"), ("[", ",", "]"), ('{"value":[', ",", "]}"))))
    return (
        first + between.join([json.dumps(OTHER), *draw(st.permutations([*ways, json.dumps(draw(records()))]))]) + last
    ).encode()


@settings(max_examples=300)
@given(content=exports() | with_tampering())
def test_looking_only_for_bypasses_finds_each_that_the_full_reading_finds(content: bytes) -> None:
    by_both_filters(content)


@settings(max_examples=50)
@given(content=exports())
def test_compressed_exports_pass_nothing_unread(content: bytes) -> None:
    in_compressed_files(content)


@settings(max_examples=100)
@given(content=exports())
def test_the_feed_passes_nothing_unread(content: bytes) -> None:
    in_the_feed(content)


@settings(max_examples=100)
@given(found=records())
def test_alerts_pass_nothing_unread(found: Json) -> None:
    in_alerts(found)


@settings(max_examples=200)
@given(name=spelled())
def test_the_prefilter_passes_every_spelling(name: str) -> None:
    by_the_prefilter(name)


# ---- the properties can fail ----------------------------------------------------------------------------------------
Property = tuple[st.SearchStrategy[Any], Callable[[Any], None]]
READ_LINE = lines._line
EXPORTS: Property = (exports(), in_exports)
UNNAMED = records().map(lambda found: {name: value for name, value in found.items() if name.lower() != "parameters"})
"""Records in which only the cmdlet's name has the word bypass: the parameter has it as well."""
FAULTS: dict[str, tuple[Any, str, Any, Property]] = {
    "the prefilter": (prefilter, "DROPPED", b"", (spelled(), by_the_prefilter)),
    "the filter of the feed": (prefilter.Prefilter, "feed", lambda _, __: False, (exports(), in_the_feed)),
    "the filter of bypasses": (prefilter, "_BYPASS_PARTS", (b"bypass",), (exports(UNNAMED), by_both_filters)),
    "the names of operations": (record, "folded", str.lower, EXPORTS),
    "the JSON reader": (text_buffer.TextBuffer, "resume", lambda it, *_, **__: it.take(len(it.rest()))[:1], EXPORTS),
    "the JSON lines reader": (lines, "_line", lambda *line: READ_LINE(*line) if b"Set-M" in line[0] else (), EXPORTS),
    "the CSV reader": (rows, "_passed_over", lambda _, __: iter([""]), EXPORTS),
    "rows that do not fit": (reader, "_is_another", lambda _: True, EXPORTS),
    "what is inside of wrappers": (shapes, "_inside", lambda *_: iter(()), EXPORTS),
    "compressed data": (archives._Gunzip, "read", lambda *_: b"", (exports(), in_compressed_files)),
    "alerts": (alert, "_records", lambda *_: (), (records(), in_alerts)),
}


@pytest.mark.parametrize(("where", "name", "fault", "broken"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_each_reader_is_found(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Any, broken: Property
) -> None:
    strategy, must_hold = broken
    monkeypatch.setattr(where, name, fault)

    @settings(max_examples=20_000, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    @given(case=strategy)
    def fails(case: Any) -> None:
        must_hold(case)

    with pytest.raises((AssertionError, ValueError)):
        fails()

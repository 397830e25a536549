"""What holds the records: how it is taken apart, and what happens where it is broken."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.records import source, text_buffer
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import SHAPES, a_bypass, another, search_ual, to_csv

ON = json.dumps(a_bypass())
OTHER = json.dumps(another())


def read(content: bytes | str) -> list[str]:
    """Operation of each record, reason of each unreadable."""
    data = content.encode() if isinstance(content, str) else content
    found = read_records(io.BytesIO(data), source="test")
    return [r.operation.split("-")[0] if isinstance(r, AuditRecord) else r.reason for r in found]


class Trickle:
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._content = io.BytesIO(content)
        self._sizes = iter(sizes)

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, next(self._sizes, size)))


@given(shape=st.sampled_from(sorted(SHAPES)), sizes=st.lists(st.integers(1, 50), max_size=100))
@settings(max_examples=60)
def test_any_chunking_of_the_source_gives_the_same(shape: str, sizes: list[int]) -> None:
    content = SHAPES[shape](a_bypass())

    assert list(read_records(Trickle(content, sizes), source="x")) == list(
        read_records(io.BytesIO(content), source="x")
    )


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers of 64 bytes and a limit of 8,192, so that every record straddles."""
    from bypass_responder.sensing.records import lines, rows

    for module in (text_buffer, lines):
        monkeypatch.setattr(module, "BLOCK", 64)
    for module in (source, text_buffer, lines, rows):
        monkeypatch.setattr(module, "LIMIT", 8192)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "content",
    [f"[{OTHER},{ON},{OTHER},{ON}]", f'{{"value":[{OTHER},{ON}],"a":[1,"}}"]}}{ON}', f"{OTHER}\n{ON}\n{OTHER}\n{ON}"],
)
def test_records_that_straddle_every_buffer_are_found(content: str) -> None:
    assert read(content) == ["Set", "Set"]


@pytest.mark.parametrize(
    "content", ["", "  \n ", "\ufeff", "not json", "<html>", "a,b\n1,2\n", "a\rb\n", "{", "[", '"x"']
)
def test_what_is_no_export_is_one_unreadable(content: str) -> None:
    assert read(content) == ["not_json"]


@pytest.mark.parametrize(
    "rest",
    ["", ",", f",{ON[:-40]}", f";{ON}]", ",]", f"{ON}]"],
)
def test_records_before_a_break_count_and_the_rest_is_one_unreadable(rest: str) -> None:
    assert read(f"[{ON}{rest}") == ["Set", "not_json"]


@pytest.mark.parametrize("broken", ["nonsense", "{'a':1}", '"\\x"', '{"Id":"a","Units":[""{"}]}', '{"a":"b', "{"])
def test_the_next_record_of_an_array_behind_a_broken_element_is_read(broken: str) -> None:
    assert read(f"[{ON},{broken},{OTHER},{ON}]") == ["Set", "not_json", "Set"]


def test_behind_a_broken_element_the_place_and_the_text_are_named() -> None:
    found = [*read_records(io.BytesIO(f'[{OTHER},{{"Id":""{{}},{ON}]'.encode()), source="x")]

    assert isinstance(found[0], Unreadable)
    assert (found[0].where, found[0].excerpt, found[0].names_cmdlet) == ("after record 1", '{"Id":""{},', False)


def test_a_rest_that_names_the_cmdlet_is_marked() -> None:
    (found,) = read_records(io.BytesIO(f'[{{"a":"{"x" * 3_000_000}" {ON}'.encode()), source="x")

    assert isinstance(found, Unreadable)
    assert found.names_cmdlet


def test_a_record_inside_a_broken_string_is_not_taken_for_one() -> None:
    """An unescaped quote would end the string; the author of the text chose what follows."""
    assert read(f'[{{"Subject":"x" y\n{ON}\n,"z":1}},{ON}]') == ["not_json", "Set"]


@pytest.mark.parametrize("tail", ["", ",", '],"x":', '],"x"', '],"x":[1'])
def test_a_page_that_is_cut_off_is_unreadable(tail: str) -> None:
    assert read(f'{{"value":[{ON}{tail}') == ["Set", "not_json"]


def test_a_record_outside_the_list_of_a_page_is_seen() -> None:
    assert read(f'{{"value":[],"more":[{ON}],"one":{ON}}}') == ["Set", "Set"]


def test_each_json_line_stands_alone() -> None:
    assert read(f"{ON}\n{OTHER[:-9]}\n{ON[:-9]}\n\n{ON}\n") == ["Set", "not_json", "not_json", "Set"]


def test_a_broken_first_line_does_not_hide_the_next() -> None:
    assert read(f"{ON[:-9]}\n{ON}\n") == ["not_json", "Set"]


def test_the_line_is_named() -> None:
    lines = "\n".join([json.dumps({"Operation": "x"})] * 3 + ["{"] + [ON[:-3]])

    found = [r for r in read_records(io.BytesIO(lines.encode()), source="x") if isinstance(r, Unreadable)]

    assert [r.where.split(",")[0] for r in found] == ["line 4", "line 5"]


@pytest.mark.parametrize("element", ["1", '"x"', "null", "true", "[]", "-1.5e3"])
def test_an_element_that_is_no_object_is_unreadable_and_stops_nobody(element: str) -> None:
    assert read(f"[{element},{ON}]") == ["not_an_object", "Set"]


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_deep_nesting_stops_nobody(depth: int) -> None:
    deep = '{"Operation":"x","a":' + "[" * depth + '"]"' + "]" * depth + "}"

    assert read(f"[{deep},{ON}]") == ["Set"]


@pytest.mark.parametrize("depth", [200_000])
def test_a_record_of_interest_that_is_nested_too_deeply_is_unreadable(depth: int) -> None:
    deep = ON[:-1] + ',"a":' + "[" * depth + "]" * depth + "}"

    assert read(f"[{deep},{ON}]") == ["too_deep", "Set"]
    assert read(f"{ON}\n{deep}\n{ON}") == ["Set", "too_deep", "Set"]


def test_deep_nesting_that_never_ends_is_broken() -> None:
    assert read(f"[{ON}," + "[" * 200_000) == ["Set", "not_json"]


def test_a_value_of_ten_megabytes_stops_nobody() -> None:
    big = json.dumps(another(Subject="x" * 10_000_000))

    assert read(f"[{big},{ON}]") == ["Set"]
    assert read(f"{big}\n{ON}\n") == ["Set"]


def test_a_record_of_interest_of_ten_megabytes_is_unreadable() -> None:
    assert read(json.dumps([a_bypass(Note="x" * 10_000_000), a_bypass()])) == ["too_large", "Set"]


@pytest.mark.usefixtures("small_blocks")
def test_a_value_over_the_limit_costs_only_itself() -> None:
    assert read(f'[{ON},"{"x" * 20_000}",{ON}]') == ["Set", "too_large", "Set"]


@pytest.mark.usefixtures("small_blocks")
def test_a_line_over_the_limit_stops_nobody() -> None:
    assert read(f'{ON}\n{{"a":"{"x" * 20_000}"}}\n{ON}\n') == ["Set", "too_large", "Set"]


@pytest.mark.usefixtures("small_blocks")
def test_a_csv_row_over_the_limit_ends_the_file() -> None:
    content = to_csv(search_ual(a_bypass())) + b'"' + b"x\n" * 9_000

    assert set(read(content)[1:]) == {"too_large"}


@pytest.mark.parametrize("number", ["1" * 5_000, "-1e999999", "NaN"])
def test_an_enormous_number_stops_nobody(number: str) -> None:
    odd = OTHER[:-1] + f',"Version2":{number}}}'

    assert read(f"[{odd},{ON}]") == ["Set"]


@pytest.mark.parametrize("odd", [b"\x00", b"\x1b", b"\n", b"\xff\xfe\xfa", rb"\ud800", rb"\u0000"])
def test_odd_bytes_in_an_unrelated_field_change_nothing(odd: bytes) -> None:
    content = json.dumps([another(Subject="@@"), a_bypass(Subject="@@")]).encode().replace(b"@@", b"a" + odd + b"b")

    assert read(content) in (["Set"], ["nul_character"])


def test_a_csv_row_that_does_not_fit_its_header_is_unreadable_if_it_is_ours() -> None:
    good = to_csv(search_ual(a_bypass()), search_ual(a_bypass()))
    short = good.replace(b"3/2/2026 9:15:30 AM,", b"", 1)

    assert read(short) == ["wrong_columns", "Set"]


def test_a_csv_row_of_another_operation_may_have_any_shape() -> None:
    good = to_csv(search_ual(another()), search_ual(a_bypass()))

    assert read(good.replace(b"3/2/2026 9:15:30 AM,", b"", 1)) == ["Set"]


def test_a_column_that_stands_twice_makes_our_rows_unreadable() -> None:
    content = to_csv(search_ual(a_bypass())).replace(b"ResultIndex", b"operations")

    assert read(content) == ["duplicate_key"]


@pytest.mark.parametrize("tail", [b'"no end', b'"a"b,c'])
def test_rows_before_a_broken_one_count(tail: bytes) -> None:
    assert read(to_csv(search_ual(a_bypass())) + tail) == ["Set", "not_csv"]


def test_a_field_over_the_csv_modules_own_limit_is_read() -> None:
    assert read(to_csv(search_ual(a_bypass(Note="x" * 200_000)))) == ["Set"]


def test_a_control_character_never_reaches_the_excerpt() -> None:
    (found,) = read_records(io.BytesIO(b"\x1b[31mred \xe2\x80\xae\x07"), source="x")

    assert isinstance(found, Unreadable)
    assert found.excerpt == r"\x1b[31mred \u202e\x07"


def test_an_excerpt_has_a_bound() -> None:
    (found,) = read_records(io.BytesIO(b"\x1b" * 100_000), source="x")

    assert isinstance(found, Unreadable)
    assert len(found.excerpt) == 4000


def test_the_source_is_named() -> None:
    (found,) = read_records(io.BytesIO(b"?"), source="blob 7")

    assert isinstance(found, Unreadable)
    assert found.source == "blob 7"


class Endless:
    """An export of a given size, made while it is read."""

    def __init__(self, part: bytes, *, first: bytes, times: int) -> None:
        self._parts: Any = iter([first, *([part] * times)])

    def read(self, _size: int, /) -> bytes:
        return next(self._parts, b"")


@pytest.mark.parametrize("first", [b"[", b""], ids=["array", "lines"])
def test_memory_does_not_grow_with_the_file(first: bytes) -> None:
    part = (json.dumps(another(Note="x" * 20_000)).encode() + (b"," if first else b"\n")) * 100

    def peak(times: int) -> int:
        tracemalloc.start()
        for _ in read_records(Endless(part, first=first, times=times), source="x"):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(20) < peak(5) + 1_000_000


ROWS = to_csv(search_ual(another()), search_ual(a_bypass()), search_ual(a_bypass()))
HEAD, FIRST, SECOND, THIRD = ROWS.decode().splitlines(keepends=True)


def in_one_cell(line: str) -> str:
    return '"' + line.strip().replace('"', '""') + '"\r\n'


@pytest.mark.parametrize(
    "content",
    [
        f"sep=,\r\n{HEAD}{SECOND}",
        f"Audit log\r\n\r\n{HEAD}{SECOND}",
        HEAD + in_one_cell(FIRST) + in_one_cell(SECOND),
        in_one_cell(HEAD) + in_one_cell(FIRST) + in_one_cell(SECOND),
        HEAD.strip() + ",,,\r\n" + SECOND.strip() + ",\r\n",
        HEAD.replace(",", ", ") + SECOND.replace(',"', ', "'),
        to_csv(search_ual(a_bypass()), delimiter="|").decode(),
    ],
)
def test_what_spreadsheets_make_of_a_csv_is_read(content: str) -> None:
    assert read(content) == ["Set"]


@pytest.mark.parametrize(
    "broken",
    ['x,"say "hi"",y\r\n', 'a,b,c,d,"no end\r\nof it\r\n', '"a"b,c\r\n'],
)
def test_the_next_row_behind_a_broken_one_is_read(broken: str) -> None:
    assert read(HEAD + FIRST + broken + SECOND + THIRD) == ["not_csv", "Set", "Set"]


def test_a_broken_row_is_named_with_its_text() -> None:
    found = [*read_records(io.BytesIO(f'{HEAD}{FIRST}x,"say "hi"",y\r\n{SECOND}'.encode()), source="x")]

    assert isinstance(found[0], Unreadable)
    assert (found[0].where, found[0].excerpt.startswith('x,"say "hi"",y')) == ("after row 1", True)


def test_elements_that_cannot_matter_are_passed_over_and_the_place_is_still_named() -> None:
    quiet = json.dumps(another(Parameters=[]))
    content = f"[{','.join([quiet] * 2000)},{ON},{','.join([quiet] * 2000)},{ON[:-9]}"

    found = [*read_records(io.BytesIO(content.encode()), source="x")]

    assert [type(item) for item in found] == [AuditRecord, Unreadable]
    assert isinstance(found[1], Unreadable)
    assert found[1].where.startswith("after about byte ")


@given(before=st.integers(0, 1200), between=st.integers(0, 1200), text=st.text(max_size=30))
@settings(max_examples=30)
def test_every_record_among_many_that_cannot_matter_is_found(before: int, between: int, text: str) -> None:
    quiet = json.dumps(another(Parameters=[], Subject=text + '},{"CreationTime":'))
    content = ",".join([quiet] * before + [ON] + [quiet] * between + [ON] + [quiet])

    assert read(f"[{content}]") == ["Set", "Set"]
    assert read("\n".join([quiet] * before + [ON] + [quiet] * between + [ON])) == ["Set", "Set"]


def test_a_csv_whose_lines_end_in_carriage_returns_is_read() -> None:
    lines = to_csv(search_ual(a_bypass())).replace(b"\r\n", b"\r")

    assert read(lines) == ["Set"]


@pytest.mark.parametrize("content", [f"{OTHER},\n{ON},\n", f"{ON},\n{ON}", f"{ON},{OTHER},{ON}"])
def test_records_with_a_comma_between_them_but_no_brackets_are_all_read(content: str) -> None:
    assert read(content) == ["Set"] * content.count(ON)

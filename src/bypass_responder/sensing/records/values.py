"""Reads JSON values from a stream: arrays, pages (``{"value": [...]}``), and concatenated objects.

One element at a time is taken from a bounded buffer; nothing but its extent is kept. Where the text stops being JSON,
reading goes on at the next object of the list that is a record; what lies between is one broken piece. Inside broken
text a string could pose as a record: only an object after a comma counts, with the names that records have.

Elements that cannot matter are passed over without being parsed where the text shows where the next one begins: in
valid JSON, ``},{"Name":`` cannot stand inside a string.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bypass_responder.sensing.records.pieces import Broken, JsonText, Pieces, Scan
from bypass_responder.sensing.records.text_buffer import BrokenTextError, TextBuffer

if TYPE_CHECKING:
    from typing import BinaryIO

_NEXT = re.compile(r',\s*(?=\{\s*"[^"\\]{1,100}"\s*:)')
_NEXT_LINE = re.compile(r'\n(?=\{\s*"[^"\\]{1,100}"\s*:)')


def read_values(reader: BinaryIO, scan: Scan) -> Pieces:
    """Every value that may matter, and every element of a list that is no object."""
    buffer = TextBuffer(reader, scan)
    try:
        yield from _top_level(buffer)
    except BrokenTextError as error:
        where = buffer.where("after ")
        text = buffer.rest()
        yield Broken(error.reason, error.detail, where, text, buffer.names_cmdlet_from_here())


def _top_level(buffer: TextBuffer) -> Pieces:
    while char := buffer.char():
        if char == "[":
            buffer.take(1)
            yield from _array(buffer)
        elif char == "{" and (page := buffer.page_start()):
            where = buffer.where("after ")
            buffer.take(page.length)
            for member in page.members:
                yield from _member(member, where, buffer.scan)
            yield from _array(buffer)
            yield from _page_end(buffer)
        elif char == "," and buffer.count:  # between objects, where the brackets of their list were left out
            buffer.take(1)
        else:
            yield from _alone(buffer)
    if not buffer.started:
        raise BrokenTextError(reason="not_json", detail="the input is empty")


def _alone(buffer: TextBuffer) -> Pieces:
    """An object in no list. Reading goes on behind a broken one where a line begins with a whole object."""
    try:
        yield from _element(buffer, must_be_object=True)
    except BrokenTextError as error:
        where = buffer.where("after ")
        passed_over = buffer.resume(_NEXT_LINE)
        if not passed_over:
            raise
        yield Broken(error.reason, error.detail, where, passed_over)


def _array(buffer: TextBuffer) -> Pieces:
    """The elements after ``[``, and the bracket that closes it.

    Raises BrokenTextError where it cannot go on.
    """
    if buffer.char() == "]":
        buffer.take(1)
        return
    buffer.separator = None
    while True:
        try:
            buffer.leap()
            yield from _element(buffer)
            if buffer.take_separator() == "]":
                return
        except BrokenTextError as error:
            where = buffer.where("after ")
            passed_over = buffer.resume(_NEXT, of_records=True)
            if not passed_over:
                raise
            yield Broken(error.reason, error.detail, where, passed_over)


def _page_end(buffer: TextBuffer) -> Pieces:
    """The members that follow the list of a page. They are read too, so that nothing hides there."""
    while (char := buffer.char()) == ",":
        buffer.take(1)
        buffer.char()
        buffer.take(buffer.value_length())
        if buffer.char() != ":":
            raise BrokenTextError(reason="not_json", detail="expected a colon")
        buffer.take(1)
        buffer.char()
        yield from _member(buffer.take(buffer.value_length()), buffer.where("after "), buffer.scan)
    if char != "}":
        raise BrokenTextError(reason="not_json", detail=f"the object is cut off or broken at {char!r}")
    buffer.take(1)


def _member(text: str, where: str, scan: Scan) -> Pieces:
    """The value of a page's member outside of its list, if it is or holds JSON that may matter."""
    inside = str(json.loads(text, strict=False)).lstrip() if text.startswith('"') else text
    if inside[:1] in {"[", "{"} and scan.may_matter(inside.encode("utf-8", "replace")):
        yield JsonText(inside, where)


def _element(buffer: TextBuffer, *, must_be_object: bool = False) -> Pieces:
    is_object = buffer.char() == "{"
    if must_be_object and not is_object:
        raise BrokenTextError(reason="not_json", detail=f"expected a JSON object or array at {buffer.char()!r}")
    length = buffer.value_length()
    matters = buffer.may_matter(length)
    buffer.scan.records += 1
    buffer.count += 1
    where = buffer.where()
    if not buffer.scan.recognized:
        buffer.scan.recognize(buffer.ahead(length))
    if not is_object:
        yield Broken("not_an_object", "a record is a JSON object", where, buffer.take(length))
    elif matters:
        yield JsonText(buffer.take(length), where)
    else:
        buffer.scan.see(buffer.take(length))

"""Text from bytes that are UTF-8 or UTF-16."""

from __future__ import annotations

import codecs

_REPLACED = "\ufffd".encode()
"""What a reader of UTF-8 puts in the place of a byte that is none, as the Functions host may for a queue message."""


def encoding_of(head: bytes) -> str | None:
    """Return the encoding to recode from; None for UTF-8.

    ASCII text in UTF-16 has a NUL in every pair, with or without a byte order mark.
    """
    if head.startswith(codecs.BOM_UTF16_LE) or (len(head) > 1 and head[0] and not head[1]):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE) or (len(head) > 1 and not head[0] and head[1]):
        return "utf-16-be"
    return None


def decoded(data: bytes) -> str:
    """Return the text. Raises UnicodeDecodeError, also for UTF-16 of which bytes were replaced."""
    data = data.removeprefix(2 * _REPLACED)
    encoding = encoding_of(data)
    if encoding and (lost := data.find(_REPLACED)) >= 0:
        raise UnicodeDecodeError(encoding, data, lost, lost + len(_REPLACED), "replaced")
    return data.decode(encoding or "utf-8")

r"""Which bytes are worth parsing, decided at memory speed. May pass too much, never too little.

A record of interest names its cmdlet or its parameter. Case, white space, dashes and characters outside ASCII do not
count (``model.operation.folded``), as themselves or as escapes (``\u200b``, ``\n``). In JSON the name can also hide
behind ``\u00XX`` escapes of its letters; where JSON stands inside a JSON string, behind escapes of the backslash and of
the escape's own digits. All of these pass. So does a NUL byte: JSON has none, but UTF-16 has one beside every letter.
"""

from __future__ import annotations

import re

from bypass_responder.model.operation import DROPPED, LOWERED

_NEEDLES = (
    b"auditbypass",  # in the cmdlet's name and in its parameter's, so that a record that lost one of them passes
    b"setorganizationconfig",  # longer than AuditDisabled, and so found faster
    b"unifiedauditlogingestionenabled",  # Set-AdminAuditLogConfig alone is the services' daily noise
)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-f]{4}|[bfnrt])")
_HIDING = re.compile(rb"\\u00(?:3[0-9]|4[1-9a-f]|5[0-9ac]|6[1-9a-f]|7[0-9a])")
_CUT = re.compile(rb"\\+(?:u[0-9a-fA-F]{0,3})?\Z")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OVERLAP = max(len(needle) for needle in _NEEDLES) - 1


def may_matter(chunk: bytes) -> bool:
    """Whether the bytes may hold a record of interest. False is certain, if the record stands in them whole."""
    folded = _folded(chunk)
    return folded is None or _names_one(folded)


def _names_one(folded: bytes) -> bool:
    return any(needle in folded for needle in _NEEDLES)


def _folded(chunk: bytes) -> bytes | None:
    """The bytes without what does not count in a name; None when a name may hide in them in another way."""
    if b"\0" in chunk or chunk.startswith(_UTF16_MARKS):
        return None
    folded = chunk.translate(LOWERED, DROPPED)
    if not _ESCAPE.search(folded):
        return folded
    return None if _HIDING.search(folded) else _ESCAPE.sub(b"", folded).replace(b"\\", b"")


class Prefilter:
    """``may_matter`` over a stream: a name cut in two by a chunk's end is still seen. ``matched`` never falls back."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.matched = False
        self._cut = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> bool:
        """Scan the next chunk; return whether anything so far may matter."""
        if not self.matched:
            chunk = self._cut + chunk
            cut = _CUT.search(chunk, len(chunk) - 64)
            self._cut = cut[0] if cut else b""
            folded = _folded(chunk[: len(chunk) - len(self._cut)])
            self._tail += folded or b""
            self.matched = folded is None or _names_one(self._tail)
            self._tail = self._tail[-_OVERLAP:]
        return self.matched

r"""Which bytes are worth parsing, decided at memory speed. May pass too much, never too little.

A record of interest names its cmdlet and its parameter in ASCII. In JSON the name can hide behind ``\u00XX`` escapes of
its letters or hyphen; where JSON stands inside a JSON string, also behind escapes of the backslash and of the escape's
own digits. All of these pass. So does a NUL byte: JSON has none, but UTF-16 text has one beside every ASCII letter.
"""

from __future__ import annotations

import re

_NEEDLES = (
    b"auditbypass",  # in the cmdlet's name and in its parameter's, so that a record that lost one of them passes
    b"set-organizationconfig",  # longer than AuditDisabled, and so found faster
    b"unifiedauditlogingestionenabled",  # Set-AdminAuditLogConfig alone is the services' daily noise
)
_ESCAPE = re.compile(rb"\\u00(?:2d|3[0-9]|4[1-9a-f]|5[0-9ac]|6[1-9a-f]|7[0-9a])")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OVERLAP = max(len(needle) for needle in _NEEDLES) - 1


def may_matter(chunk: bytes) -> bool:
    """Whether the bytes may hold a record of interest. False is certain, if the record stands in them whole."""
    if b"\0" in chunk or chunk.startswith(_UTF16_MARKS):
        return True
    lowered = chunk.lower()
    for needle in _NEEDLES:
        if needle in lowered:
            return True
    return _ESCAPE.search(lowered) is not None


class Prefilter:
    """``may_matter`` over a stream: a name cut in two by a chunk's end is still seen. ``matched`` never falls back."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.matched = False
        self._tail = b""

    def feed(self, chunk: bytes) -> bool:
        """Scan the next chunk; return whether anything so far may matter."""
        if not self.matched:
            seam = self._tail + chunk[:_OVERLAP]
            self.matched = may_matter(seam) or may_matter(chunk)
            self._tail = (seam if len(chunk) < _OVERLAP else chunk)[-_OVERLAP:]
        return self.matched

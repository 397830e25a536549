r"""Which bytes are worth parsing, decided at memory speed. May pass too much, never too little.

A record of interest names its cmdlet or its parameter. Case, white space, dashes and characters outside ASCII do not
count (``model.operation.folded``), as themselves or as escapes (``\u200b``, ``\n``). In JSON the name can also hide
behind ``\u00XX`` escapes of its letters; where JSON stands inside a JSON string, behind escapes of the backslash and of
the escape's own digits. All of these pass. So does a NUL byte: JSON has none, but UTF-16 has one beside every letter.

Most bytes are plain ASCII without such escapes, and have no part of a name: vector instructions see that first. What
they pass over too: names that blanks of ASCII break inside of several words at once, or in the family inside of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import stringzilla

from bypass_responder.model.operation import DROPPED, LOWERED

_CMDLET = (
    b"auditbypass",  # in the cmdlet's name and in its parameter's, so that a record that lost one of them passes
    b"setorganizationconfig",
    b"unifiedauditlogingestionenabled",  # Set-AdminAuditLogConfig alone is the services' daily noise
)
_FAMILY = (
    *(b"auditowner", b"auditdelegate", b"auditadmin", b"auditenabled", b"auditlogagelimit"),
    *(b"rolegroup", b"managementrole", b"removeserviceprincipal", b"approleassignment"),
    *(b"auditlogretentionpolicy", b"assignedlicense", b"diagnosticsettings"),
    *(b"mailboxpermission", b"recipientpermission", b"mailboxfolderpermission"),
)
_NEEDLES = (*_CMDLET, *_FAMILY)
_RARE = (
    b"bypass",
    b"audit",
    b"organizationconfig",
    b"role",
    b"-serviceprincipal",
    b"diagnosticsettings",
    b"permission",
    b"assignedlicense",
)
"""Of each name, what most bytes have no part of."""
_PARTS = (
    *(b"bypass", b"mailboxaudit", b"organizationconfig", b"auditlogingestion"),
    *(b"auditowner", b"auditdelegate", b"auditadmin", b"auditenabled", b"auditlogagelimit"),
    *(b"rolegroup", b"managementrole", b"-serviceprincipal", b"app role", b"approle"),
    *(b"retentionpolicy", b"assignedlicense", b"diagnosticsettings"),
    *(b"mailboxpermission", b"recipientpermission", b"mailboxfolderpermission"),
)
"""Words of the names, between which blanks may stand."""
_BYPASS, _BYPASS_PARTS = (b"auditbypass",), (b"bypass", b"mailboxaudit")
_PLAIN_ESCAPES = (b"\\u003c", b"\\u003C", b"\\u003e", b"\\u003E", b"\\u0026", b"\\u0027", b"\\u0022", b"\\u002b")
"""Of characters that services escape although they need not, and that are in no name."""
_DROPPED = re.compile(rb"\\(?:[bfnrt]|u(?:00(?:[01].|20|2d|7f|[89a-f].)|(?!00)[0-9a-f]{4}))")
"""Escapes of what does not count in a name."""
_HIDING = re.compile(rb"\\u00(?:3[0-9]|4[1-9a-f]|5[0-9ac]|6[1-9a-f]|7[0-9a])")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SEAM = 1 << 10


def may_matter(chunk: bytes) -> bool:
    """Return whether the bytes may hold a record of interest.

    False is certain if the bytes hold the record whole.
    """
    if _is_plain(chunk):
        lowered = stringzilla.translate(chunk, LOWERED)
        if not _has_any(lowered, _RARE) or not _has_any(lowered, _PARTS):
            return False
    return _has_name(chunk, _NEEDLES)


def may_be_bypass(chunk: bytes) -> bool:
    """Return whether the bytes may hold a record of a bypass: faster where the family is not asked for."""
    if _is_plain(chunk) and not _has_any(stringzilla.translate(chunk, LOWERED), _BYPASS_PARTS):
        return False
    return _has_name(chunk, _BYPASS)


def names_cmdlet(chunk: bytes) -> bool:
    """Return whether a bypass, or a switch of the organization, may be in the bytes."""
    return _has_name(chunk, _CMDLET)


def _has_any(lowered: bytes, parts: tuple[bytes, ...]) -> bool:
    return any(stringzilla.find(lowered, part) >= 0 for part in parts)


def _has_name(chunk: bytes, needles: tuple[bytes, ...]) -> bool:
    if b"\0" in chunk or chunk.startswith(_UTF16_MARKS):
        return True
    folded = chunk.translate(LOWERED, DROPPED)
    if _HIDING.search(folded):
        return True
    if _DROPPED.search(folded):
        folded = _DROPPED.sub(b"", folded).replace(b"\\", b"")
    return any(needle in folded for needle in needles)


def _is_plain(chunk: bytes) -> bool:
    if not chunk.isascii() or b"\0" in chunk:
        return False
    escapes = stringzilla.count(chunk, b"\\u")
    return not escapes or escapes == sum(stringzilla.count(chunk, escape) for escape in _PLAIN_ESCAPES)


def count(chunk: bytes | memoryview, part: bytes) -> int:
    """How often the part stands in the chunk, without overlaps."""
    return int(stringzilla.count(chunk, part))


class Prefilter:
    """``may_matter`` or ``names_cmdlet`` over a stream, also for a name that two chunks split.

    ``matched`` stays True once set.
    """

    def __init__(self, matches: Callable[[bytes], bool] = may_matter) -> None:
        """Start with nothing seen."""
        self.matched = False
        self._matches = matches
        self._tail = b""

    def feed(self, chunk: bytes) -> bool:
        """Scan the next chunk; return whether anything so far may matter."""
        if not self.matched:
            seam = self._tail + chunk[:_SEAM]
            self.matched = self._matches(seam) or self._matches(chunk)
            self._tail = (seam if len(chunk) < _SEAM else chunk)[-_SEAM:]
        return self.matched

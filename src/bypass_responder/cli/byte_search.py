"""The prefilter at the speed of memory, with the vector instructions of StringZilla."""

from __future__ import annotations

import stringzilla

from bypass_responder.model.operation import LOWERED
from bypass_responder.sensing.records.prefilter import may_matter

_NEEDLES = (b"bypass", b"mailboxaudit", b"organizationconfig", b"unifiedauditlogingestionenabled")
"""Shorter than the prefilter's: a name that is broken by spaces in one place still has one of them whole."""


def may_hold(chunk: bytes) -> bool:
    """``may_matter``, at once where the bytes are plain ASCII without escapes and have no part of a name."""
    lowered = stringzilla.translate(chunk, LOWERED)
    suspicious = any(stringzilla.find(lowered, needle) >= 0 for needle in _NEEDLES)
    if suspicious or b"\0" in chunk or not chunk.isascii() or stringzilla.find(chunk, b"\\u") >= 0:
        return may_matter(chunk)
    return False


def count(chunk: bytes, part: bytes) -> int:
    """How often the part stands in the chunk."""
    return int(stringzilla.count(chunk, part))

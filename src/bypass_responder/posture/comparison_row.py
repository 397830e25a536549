"""One row of a comparison: a mailbox with its verdict, and what is new of it."""

from __future__ import annotations

from typing import NamedTuple

from bypass_responder.posture.drift import Change
from bypass_responder.posture.mailbox import Mailbox
from bypass_responder.posture.verdict import Verdict


class MailboxPosture(NamedTuple):
    """One mailbox with its verdict."""

    mailbox: Mailbox
    verdict: Verdict
    bypassed: bool | None
    """None: not known."""
    watched: bool = False
    new: bool = False
    """True: the read before did not have it."""
    changed: tuple[Change, ...] = ()
    """Since the read before."""

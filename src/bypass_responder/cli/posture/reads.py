"""``bypassctl posture read``: read all mailboxes now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.cli.send_decision import Wait, send_decision
from bypass_responder.cli.terminal import say, who_am_i, with_responder
from bypass_responder.operating.decide import prepare_read

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage


def read(*, wait: Wait = False) -> None:
    """Ask the app to read all mailboxes now. It does so automatically once a day.

    A read under way is not restarted. The Exchange worker takes minutes to
    hours, depending on the number of mailboxes; bypassctl status shows the
    progress, and bypassctl posture report the result.
    """

    async def use(responder: Responder) -> DecisionMessage:
        return prepare_read(responder.services, author=await who_am_i(responder))

    send_decision(with_responder(use), "the read of all mailboxes", wait=wait)
    say("The report follows when the read has ended: bypassctl posture report")

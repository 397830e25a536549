"""A question of the console about an account, and the answer to it.

Only the responder may read the account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind, DecisionMessage, Shown
from bypass_responder.model.inspection import Inspection
from bypass_responder.operating.allowlist.entries import read_swept
from bypass_responder.operating.allowlist.explain import explain
from bypass_responder.operating.decide import message_about

if TYPE_CHECKING:
    from bypass_responder.model.decision_message import Author
    from bypass_responder.services import Services

KEPT_FOR = timedelta(days=30)


def question(name: str, services: Services, *, author: Author) -> DecisionMessage:
    """Return the message that asks the responder about an account. Nothing is sent."""
    about = {"asked": name, "shown": Shown(), "author": author, "reason": "a question of the console"}
    return message_about(DecisionKind.INSPECT_ACCOUNT, TENANT_TARGET, services, **about)


async def answer(message: DecisionMessage, services: Services) -> None:
    """Store what is known about the account that a message asks about, unless the message has ended."""
    now = services.clock()
    if message.asked is None or now > message.not_after:
        return
    await services.inspections.save(await inspect(message.asked, services))
    await services.inspections.forget_before(now - KEPT_FOR)


async def inspect(name: str, services: Services) -> Inspection:
    """Return what Entra and the last complete sweep say of an account, and what a bypass would lead to."""
    found = Inspection(name=name, at=services.clock())
    try:
        account = await services.directory.find(name)
    except (PermissionMissingError, RefusedError) as problem:
        return found.model_copy(update={"problem": str(problem)})
    if account is None:
        return found
    bypass = (await read_swept(services)).bypass_of(account.object_id)
    explained = await explain(account, services)
    return found.model_copy(
        update={
            "account": account,
            "bypassed": bypass.on,
            "bypass_as_of": bypass.as_of,
            "bypassed_since": bypass.since,
            "protected": explained.protected,
            "explanation": explained.sentence,
        }
    )

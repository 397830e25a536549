"""The calls on an account; how each ended is recorded while the next one is under way.

Permissions: User.EnableDisableAccount.All, User.RevokeSessions.All.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bypass_responder.errors import ResponderError
from bypass_responder.model.step import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from bypass_responder.ports import Directory

    Record = Callable[[StepKind, str, ResponderError | None], Coroutine[None, None, None]]


async def carry_out(tokens: Mapping[StepKind, str], *, object_id: str, directory: Directory, record: Record) -> None:
    """Make the claimed calls, one after the other, each independent of the other's failure.

    What one call did is recorded while the next one is under way.
    """
    recording: list[asyncio.Task[None]] = []
    for kind, token in tokens.items():
        error = await _call(kind, object_id, directory)
        recording.append(asyncio.create_task(record(kind, token, error)))
    for outcome in await asyncio.gather(*recording, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _call(kind: StepKind, object_id: str, directory: Directory) -> ResponderError | None:
    try:
        match kind:
            case StepKind.BLOCK_SIGN_IN:
                await directory.set_sign_in(object_id, enabled=False)
            case StepKind.REVOKE_SESSIONS:
                await directory.revoke_sessions(object_id)
            case StepKind.RELEASE:
                await directory.set_sign_in(object_id, enabled=True)
            case StepKind.DISABLE_BYPASS:
                msg = "disable_bypass is a question to the worker, not a call"
                raise AssertionError(msg)
    except ResponderError as error:
        return error
    return None

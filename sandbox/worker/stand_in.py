"""What the worker's functions put on their output bindings, in Python.

It answers where there is no PowerShell.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import httpx
from azure.identity.aio import ManagedIdentityCredential

from sandbox.worker.answer import READ_BACK_SECONDS, answer
from sandbox.worker.exchange import ExchangeCalls
from sandbox.worker.reads import read
from sandbox.worker.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    Outputs = dict[str, list[str | bytes]]

SCOPE = "https://outlook.office365.com/.default"


class StandIn:
    """Every function. Use as an async context manager; the identity comes from ``IDENTITY_ENDPOINT``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the settings that the real worker takes, and ``EXCHANGE_STANDIN_URL``.

        Connects to nothing yet.
        """
        self._tenant = environment["TENANT_ID"]
        self._url = environment["EXCHANGE_STANDIN_URL"]
        self._read_back_seconds = float(environment.get("READ_BACK_SECONDS") or READ_BACK_SECONDS)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the identity and the connection."""
        credential = await self._stack.enter_async_context(ManagedIdentityCredential())
        http = await self._stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))

        async def token() -> str:
            given = await credential.get_token(SCOPE)
            return str(given.token)

        self._exchange = ExchangeCalls(http, self._url, self._tenant, token)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._stack.aclose()

    async def invoke(
        self,
        function: str,
        body: str,
        *,
        message_id: str,
        deliveries: int,
        inputs: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Outputs:
        """What ``function`` gives for one message. Raises ValueError for a message without a command id."""
        command = _identified(body)
        if function == "ExchangeReads":
            return await self._read(command, message_id, deliveries, inputs)
        if function != "ExchangeSweeps":
            seconds = self._read_back_seconds
            result = await answer(command, self._exchange, read_back_seconds=seconds, deliveries=deliveries)
            return {"Result": [json.dumps(result)]}
        listed, content = await sweep(command, self._exchange, blob=f"{message_id}.json")
        outputs: Outputs = {"Result": [json.dumps(listed)]}
        if content is not None:
            outputs["Sweep"] = [content]
        return outputs

    async def _read(
        self, command: dict[str, Any], message_id: str, deliveries: int, inputs: Mapping[str, str | None]
    ) -> Outputs:
        named: dict[str, Any] = {"message_id": message_id, "deliveries": deliveries}
        named |= {"record": inputs.get("Recorded"), "ended": inputs.get("Ended")}
        done = await read(command, self._exchange, **named, read_back_seconds=self._read_back_seconds)
        outputs: Outputs = {"Result": [json.dumps(done.answer)]}
        if done.content is not None:
            outputs["Rows"] = [done.content]
        if done.record is not None:
            outputs["Record"] = [done.record]
        if done.ended is not None:
            outputs["NowEnded"] = [done.ended]
        return outputs


def _identified(body: str) -> dict[str, Any]:
    """The command, when at least an answer to it can name it."""
    try:
        command = json.loads(body)
    except RecursionError:
        command = None
    if not isinstance(command, dict) or not isinstance(command.get("command_id"), str) or not command["command_id"]:
        msg = "the message has no command_id"
        raise ValueError(msg)
    return command

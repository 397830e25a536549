"""Builders of commands, and the environment that a worker needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bypass_responder.model.message import ExchangeCommand, ExchangeResult
from sandbox.exchange_online import Function
from sandbox.tenant.account import DOMAIN, TENANT_ID
from sandbox.tenant.identity import WORKER_SECRET, default_identities
from sandbox.tenant.server import environment

ALEX = f"alex@{DOMAIN}"
Start = Callable[..., Function]


def settings(url: str, **changed: str) -> dict[str, str]:
    """The environment of a worker that does not wait where a test need not."""
    return {
        **environment(url, WORKER_SECRET),
        "EXCHANGE_STANDIN_URL": f"{url}/exchange",
        "TENANT_ID": TENANT_ID,
        "EXCHANGE_ORGANIZATION": DOMAIN,
        "AZURE_CLIENT_ID": default_identities()[WORKER_SECRET].client_id,
        "READ_BACK_SECONDS": "0",
        "RETRY_PAUSE_SECONDS": "0.01",
    } | changed


def a_command(**given: Any) -> dict[str, Any]:
    """``disable_bypass`` without an account, valid for a minute, as it lies in the queue."""
    return {
        "schema_version": 1,
        "command_id": "command-1",
        "kind": "disable_bypass",
        "tenant_id": TENANT_ID,
        "target": "the ledger's key",
        "not_after": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
    } | given


def a_check(**given: Any) -> dict[str, Any]:
    """``check_bypass`` without an account."""
    return a_command(kind="check_bypass", **given)


def ask(function: Function, command: dict[str, Any] | ExchangeCommand) -> ExchangeResult:
    """The one answer of the worker, by the model that the responder reads it with."""
    body = command.model_dump_json() if isinstance(command, ExchangeCommand) else json.dumps(command)
    [result] = function.invoke(body).results
    return ExchangeResult.model_validate(result)

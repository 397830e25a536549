"""Builders of the commands on ``exchange-reads``, and both workers behind one call."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from bypass_responder.model.account_read import AccountRead
from bypass_responder.model.exchange_read import ReadResult
from bypass_responder.model.mailbox_audit import MailboxRow
from bypass_responder.model.organization_read import OrganizationRead
from sandbox.exchange_online import Function
from sandbox.tenant.account import TENANT_ID, Account
from sandbox.tenant.identity import EXCHANGE, WORKER_SECRET
from sandbox.tenant.mailbox import Mailbox
from sandbox.tenant.state import Tenant
from sandbox.worker import ExchangeCalls, read

COMMAND = "00000000-0000-4000-8000-000000000001"
MESSAGE = "00000000-0000-4000-8000-0000000000aa"


class Answered(NamedTuple):
    """What the function put on its bindings."""

    result: ReadResult
    content: bytes | None
    record: str | None
    ended: str | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The lines of the blob."""
        return [json.loads(line) for line in gzip.decompress(self.content or b"").splitlines()]

    @property
    def account(self) -> AccountRead:
        [row] = self.rows
        return AccountRead.model_validate(row)

    @property
    def organization(self) -> OrganizationRead:
        [row] = self.rows
        return OrganizationRead.model_validate(row)

    @property
    def mailboxes(self) -> dict[str, MailboxRow]:
        rows = [MailboxRow.model_validate(row) for row in self.rows]
        return {row.upn.partition("@")[0]: row for row in rows}


Ask = Callable[..., Answered]


def a_read(kind: str, **given: Any) -> dict[str, Any]:
    """A command, valid for a minute, as it lies in the queue."""
    return {
        "schema_version": 1,
        "command_id": COMMAND,
        "kind": kind,
        "tenant_id": TENANT_ID,
        "record": "none",
        "most_seconds": 60,
        "not_after": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
    } | given


def of_account(object_id: str, *sections: str, **given: Any) -> dict[str, Any]:
    bounds = {"most_items": 200, "most_checks": 200} | given
    return a_read("read_account", object_id=object_id, sections=list(sections), **bounds)


def of_shard(recipients: str, **given: Any) -> dict[str, Any]:
    shard = {"recipients": recipients, "since": given.pop("since", None), "until": given.pop("until", None)}
    return a_read("read_mailboxes", **({"shard": shard, "most_rows": 50_000} | given))


def by_powershell(function: Function) -> Ask:
    """The real worker."""

    def ask(
        command: dict[str, Any], *, record: str | None = None, ended: str | None = None, deliveries: int = 1
    ) -> Answered:
        body, inputs = json.dumps(command), {"Recorded": record, "Ended": ended}
        done = function.invoke(body, message_id=MESSAGE, dequeue_count=deliveries, inputs=inputs)
        assert done.ok, done.error
        [result] = done.results
        [content] = done.outputs.get("Rows", [None])
        [kept] = done.outputs.get("Record", [None])
        [now_ended] = done.outputs.get("NowEnded", [None])
        return Answered(
            ReadResult.model_validate(result),
            content if isinstance(content, bytes) else None,
            kept.decode() if isinstance(kept, bytes) else None,
            now_ended if isinstance(now_ended, str) else None,
        )

    return ask


async def by_python(
    url: str, command: dict[str, Any], record: str | None, ended: str | None, deliveries: int
) -> Answered:
    """Its stand-in."""
    async with httpx.AsyncClient(trust_env=False) as http:

        async def token() -> str:
            answered = await http.get(
                f"{url}/identity/token",
                params={"resource": EXCHANGE, "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": WORKER_SECRET},
            )
            return str(answered.json()["access_token"])

        exchange = ExchangeCalls(http, f"{url}/exchange", TENANT_ID, token, pause_seconds=0.01)
        given: dict[str, Any] = {"record": record, "ended": ended, "deliveries": deliveries}
        done = await read(command, exchange, message_id=MESSAGE, **given)
    kept = done.record.decode() if done.record else None
    return Answered(ReadResult.model_validate(done.answer), done.content, kept, done.ended)


def an_account(tenant: Tenant, alias: str, **mailbox: Any) -> Account:
    """An account with its mailbox."""
    account = Account.named(alias, exchange_name=alias, mailbox=Mailbox(**mailbox))
    tenant.add([account])
    return account

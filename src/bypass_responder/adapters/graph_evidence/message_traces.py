"""Messages that an account sent and received, from ``admin/exchange/tracing/messageTraces``."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.graph_evidence.pages import PAGING_SECONDS, between, quoted
from bypass_responder.errors import TransientError
from bypass_responder.evidence.mail_flow import flow_of
from bypass_responder.model.base import counted
from bypass_responder.model.question import Answer, Question, Unavailable

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.adapters.graph_evidence.pages import GraphReader

PERMISSION = "ExchangeMessageTrace.Read.All"
SERVICE = "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"
"""Application id of the service principal that the tenant needs for this API."""
LONGEST = timedelta(days=10)
"""Of one query."""
MOST = 5_000
MOST_ADDRESSES = 5
"""Of one account; more would take the tenant's 100 requests in five minutes."""
ASKING_SECONDS = 40.0
"""Less than the source's time. No request is begun later."""
ONLY_THE_NAME = "Only the user principal name was traced: the directory does not know the account's addresses."


class MessageTraces:
    """Counts by direction and domain. Permission: ExchangeMessageTrace.Read.All."""

    def __init__(self, graph: GraphReader) -> None:
        """Take what reads Graph."""
        self._graph = graph

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read what each address sent, then what each received: a filter with ``or`` is silently ignored."""
        addresses = question.own_addresses
        if not addresses:
            return Unavailable(reason="The record names no address.", fix="Trace the messages of its address by hand.")
        traced = addresses[:MOST_ADDRESSES]
        asks = list(product(("senderAddress", "recipientAddress"), traced, _parts(question.start, question.end)))
        clock = asyncio.get_running_loop().time
        ends_at = clock() + ASKING_SECONDS
        records: list[dict[str, Any]] = []
        complete, done = True, 0
        try:
            for field, address, (start, end) in asks:
                if done and clock() >= ends_at:
                    break
                when = between("receivedDateTime", start, end)
                found = await self._graph.pages(
                    "/v1.0/admin/exchange/tracing/messageTraces",
                    permission=PERMISSION,
                    params={"$filter": f"{field} eq {quoted(address)} and {when}", "$top": "1000"},
                    most=MOST,
                    seconds=PAGING_SECONDS / len(asks),
                )
                records += found.records
                complete = complete and found.complete
                done += 1
        except TransientError as problem:
            if SERVICE in str(problem) or "service principal" in str(problem).casefold():
                return Unavailable(
                    reason="The tenant has no service principal for message traces.",
                    fix=f"az ad sp create --id {SERVICE}; it may take hours to work",
                )
            raise
        once = {(record.get("id"), record.get("recipientAddress")): record for record in records}
        gap = _not_traced(question, addresses[MOST_ADDRESSES:], done, len(asks))
        return flow_of(list(once.values()), question, time="receivedDateTime", complete=complete, gap=gap)


def _not_traced(question: Question, left_out: tuple[str, ...], done: int, asks: int) -> str:
    """Return which messages were not asked for; empty where all were."""
    reasons = [
        ONLY_THE_NAME if question.addresses is None else "",
        f"Not traced: {counted(len(left_out), 'more address', 'more addresses')}." if left_out else "",
        f"Time was left for {done} of {asks} traces." if done < asks else "",
    ]
    return " ".join(filter(None, reasons))


def _parts(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Divide a time into parts that one query may have."""
    moments = [start]
    while moments[-1] + LONGEST < end:
        moments.append(moments[-1] + LONGEST)
    return list(pairwise([*moments, end]))

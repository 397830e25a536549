"""Messages that an account sent and received, from ``admin/exchange/tracing/messageTraces``."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from bypass_responder.adapters.graph_evidence.pages import PAGING_SECONDS, between, quoted
from bypass_responder.errors import TransientError
from bypass_responder.evidence.mail_flow import flow_of
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


class MessageTraces:
    """Counts by direction and domain. Permission: ExchangeMessageTrace.Read.All."""

    def __init__(self, graph: GraphReader) -> None:
        """Take what reads Graph."""
        self._graph = graph

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read what the account sent, then what it received: a filter with ``or`` is silently ignored."""
        name = question.account.user_principal_name
        if not name:
            return Unavailable(reason="The record names no address.", fix="Trace the messages of its address by hand.")
        records, complete = [], True
        parts = _parts(question.start, question.end)
        try:
            for field in ("senderAddress", "recipientAddress"):
                for start, end in parts:
                    when = between("receivedDateTime", start, end)
                    found = await self._graph.pages(
                        "/v1.0/admin/exchange/tracing/messageTraces",
                        permission=PERMISSION,
                        params={"$filter": f"{field} eq {quoted(name)} and {when}", "$top": "1000"},
                        most=MOST,
                        seconds=PAGING_SECONDS / 2 / len(parts),
                    )
                    records += found.records
                    complete = complete and found.complete
        except TransientError as problem:
            if SERVICE in str(problem) or "service principal" in str(problem).casefold():
                return Unavailable(
                    reason="The tenant has no service principal for message traces.",
                    fix=f"az ad sp create --id {SERVICE}; it may take hours to work",
                )
            raise
        once = {(record.get("id"), record.get("recipientAddress")): record for record in records}
        return flow_of(list(once.values()), question, time="receivedDateTime", complete=complete)


def _parts(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Divide a time into parts that one query may have."""
    moments = [start]
    while moments[-1] + LONGEST < end:
        moments.append(moments[-1] + LONGEST)
    return list(pairwise([*moments, end]))

"""Tables of advanced hunting: calls of Microsoft Graph, and messages that Defender saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.graph_evidence.pages import SECONDS
from bypass_responder.errors import NotFoundError
from bypass_responder.evidence.audit_fields import moment
from bypass_responder.evidence.graph_calls import calls_of
from bypass_responder.evidence.mail_flow import flow_of
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.feed import Window
from bypass_responder.model.question import Answer, Question, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.ports import Hunting

MOST = 5_000
"""Rows of one answer."""
CALLS = """GraphApiAuditEvents
| where Timestamp between (datetime({start}) .. datetime({end}))
| where {column} == "{id}"
| project Timestamp, AccountObjectId, ApplicationId, IPAddress, RequestMethod, RequestUri, ResponseStatusCode
| order by Timestamp asc
| take {most}"""
MESSAGES = """EmailEvents
| where Timestamp between (datetime({start}) .. datetime({end}))
| where SenderObjectId == "{id}" or RecipientObjectId == "{id}"
| project Timestamp, EmailDirection, SenderObjectId, SenderFromAddress, RecipientEmailAddress, DeliveryAction, \
ThreatTypes
| order by Timestamp asc
| take {most}"""
_COLUMNS = {
    name.casefold(): name
    for query in (CALLS, MESSAGES)
    for name in query.partition("project ")[2].partition("\n")[0].split(", ")
}
NO_ID = Unavailable(reason="The record names no object id of the account.", fix="Look up the id, then hunt by hand.")


class GraphCalls:
    """Calls of Microsoft Graph by an account or an application. Permission: ThreatHunting.Read.All."""

    def __init__(self, hunting: Hunting) -> None:
        """Take what runs queries."""
        self._hunting = hunting

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Run one query."""
        who = question.account
        application = guid_or_none(who.app_id or "") if who.application else None
        account = guid_or_none(who.object_id or "")
        if application is None and account is None:
            return NO_ID
        column = "ApplicationId" if application else "AccountObjectId"
        return await _answered(
            self._hunting, CALLS, question, column=column, id=application or account or "", table="GraphApiAuditEvents"
        )


class EmailEvents:
    """Messages by direction and domain. Permission: ThreatHunting.Read.All."""

    def __init__(self, hunting: Hunting) -> None:
        """Take what runs queries."""
        self._hunting = hunting

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Run one query."""
        account = guid_or_none(question.account.object_id or "")
        if account is None:
            return NO_ID
        return await _answered(self._hunting, MESSAGES, question, id=account, table="EmailEvents")


async def _answered(hunting: Hunting, query: str, question: Question, *, table: str, **names: str) -> Answer:
    """Return the answer.

    Where the time before the blind window fills it, what follows is asked for again.
    """

    async def rows_of(window: Window) -> list[dict[str, Any]]:
        times = {"start": f"{window.start:{SECONDS}}", "end": f"{window.end:{SECONDS}}"}
        return [_named(row) for row in await hunting.run(query.format(most=MOST, **times, **names), window)]

    dark_from = max(question.start, question.dark_from)
    try:
        rows = await rows_of(Window(start=question.start, end=question.end))
        complete = len(rows) < MOST
        if not complete and question.start < dark_from < question.end:
            rows = [row for row in rows if (moment(row.get("Timestamp")) or dark_from) < dark_from]
            rows += await rows_of(Window(start=dark_from, end=question.end))
    except NotFoundError:
        return Unavailable(
            reason=f"The tenant has no table {table}.", fix="A license of Microsoft Defender XDR that has the table"
        )
    if table == "EmailEvents":
        return flow_of(rows, question, time="Timestamp", complete=complete)
    return calls_of(rows, question, complete=complete)


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the names of the queries, whatever capitals the service gives them."""
    return {_COLUMNS.get(name.casefold(), name): value for name, value in row.items()}

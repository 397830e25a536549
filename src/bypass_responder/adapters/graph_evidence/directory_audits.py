"""Directory changes by and about an account, from ``auditLogs/directoryAudits``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.adapters.graph_evidence.pages import PAGING_SECONDS, between, quoted
from bypass_responder.adapters.graph_evidence.sign_ins import NO_NAME
from bypass_responder.errors import RefusedError
from bypass_responder.evidence.directory_changes import changes_of
from bypass_responder.model.question import Answer, AskedAccount, Question

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader, Pages

PERMISSION = "AuditLog.Read.All (where Graph asks for more, also Directory.Read.All)"
MOST = 2_000
UNREAD = "Changes about the account could not be read: Graph refused to filter by target."


class DirectoryAudits:
    """Changes that the account made, and changes that were made on it.

    Permission: AuditLog.Read.All; where Graph asks for more, also Directory.Read.All.
    """

    def __init__(self, graph: GraphReader) -> None:
        """Take what reads Graph."""
        self._graph = graph

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read both lists; one that Graph cannot filter makes the answer incomplete."""
        by, about = _filters(question.account)
        if not by:
            return NO_NAME
        found = await self._read(by, question)
        records, complete, note = found.records, found.complete, ""
        if about:
            try:
                targeted = await self._read(about, question)
            except RefusedError:
                complete, note = False, UNREAD
            else:
                records, complete = records + targeted.records, complete and targeted.complete
        return changes_of(records, question, complete=complete, note=note)

    async def _read(self, who: str, question: Question) -> Pages:
        params = {"$filter": f"{between('activityDateTime', question.start, question.end)} and {who}", "$top": "500"}
        return await self._graph.pages(
            "/v1.0/auditLogs/directoryAudits",
            permission=PERMISSION,
            params=params,
            most=MOST,
            seconds=PAGING_SECONDS / 2,
        )


def _filters(account: AskedAccount) -> tuple[str, str]:
    """Return who changed, and what was changed, as filters; empty where the account has no fitting id."""
    about = f"targetResources/any(t:t/id eq {quoted(account.object_id)})" if account.object_id else ""
    if account.application:
        return (f"initiatedBy/app/appId eq {quoted(account.app_id)}" if account.app_id else ""), about
    if account.object_id:
        return f"initiatedBy/user/id eq {quoted(account.object_id)}", about
    name = account.user_principal_name
    return (f"initiatedBy/user/userPrincipalName eq {quoted(name)}" if name else ""), ""

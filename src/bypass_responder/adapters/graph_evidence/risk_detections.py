"""Detections of Entra ID Protection, from ``identityProtection/riskDetections``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.adapters.graph_evidence.pages import between, quoted
from bypass_responder.adapters.graph_evidence.sign_ins import NO_LICENSE, NO_NAME, UNLICENSED
from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.evidence.risk import risks_of
from bypass_responder.model.question import Answer, Question

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader

PERMISSION = "IdentityRiskEvent.Read.All"
MOST = 1_000


class RiskDetections:
    """Risks of a person. Permission: IdentityRiskEvent.Read.All. The tenant needs Entra ID P1 or P2."""

    def __init__(self, graph: GraphReader) -> None:
        """Take what reads Graph."""
        self._graph = graph

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read the detections of the time around the window."""
        who = question.account
        if not who.object_id and not who.user_principal_name:
            return NO_NAME
        named = (
            f"userId eq {quoted(who.object_id)}"
            if who.object_id
            else f"userPrincipalName eq {quoted(who.user_principal_name)}"
        )
        params = {"$filter": f"{named} and {between('activityDateTime', question.start, question.end)}", "$top": "500"}
        try:
            found = await self._graph.pages(
                "/v1.0/identityProtection/riskDetections", permission=PERMISSION, params=params, most=MOST
            )
        except (PermissionMissingError, RefusedError) as refused:
            if NO_LICENSE in str(refused):
                return UNLICENSED
            raise
        return risks_of(found.records, question, complete=found.complete)

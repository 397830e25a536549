"""Alerts that name an account, from ``security/alerts_v2``: Defender's, or data loss prevention's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.adapters.graph_evidence.pages import between
from bypass_responder.evidence.security_alerts import alerts_of
from bypass_responder.model.question import Answer, Question

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader

PERMISSION = "SecurityIncident.Read.All"
DATA_LOSS = "microsoftDataLossPrevention"
MOST = 2_000


class Alerts:
    """Alerts of a tenant, of which only those that name the account are kept.

    Permission: SecurityIncident.Read.All.
    """

    def __init__(self, graph: GraphReader, *, data_loss: bool = False) -> None:
        """``data_loss``: only alerts of data loss prevention; else all others."""
        self._graph = graph
        self._data_loss = data_loss

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read the alerts of the time around the window."""
        when = between("createdDateTime", question.start, question.end)
        params = {"$filter": f"{when} and serviceSource eq '{DATA_LOSS}'" if self._data_loss else when, "$top": "500"}
        found = await self._graph.pages("/v1.0/security/alerts_v2", permission=PERMISSION, params=params, most=MOST)
        wanted = [each for each in found.records if (each.get("serviceSource") == DATA_LOSS) is self._data_loss]
        return alerts_of(wanted, question, complete=found.complete)

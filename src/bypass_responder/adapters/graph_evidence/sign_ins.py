"""Interactive sign-ins, from ``auditLogs/signIns`` of v1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.errors import PermissionMissingError
from bypass_responder.evidence.sign_ins import SignIn, answer_of
from bypass_responder.model.base import iso
from bypass_responder.model.question import Answer, Question, Unavailable

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader

PERMISSION = "AuditLog.Read.All"
MOST = 5_000
NO_LICENSE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


class SignIns:
    """The interactive sign-ins of a person. Permission: AuditLog.Read.All."""

    def __init__(self, graph: GraphReader) -> None:
        """Take what reads Graph."""
        self._graph = graph

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read the sign-ins from before the window to after it, the newest first."""
        who = question.account
        named = f"userId eq '{who.object_id}'" if who.object_id else f"userPrincipalName eq '{_quoted(str(who))}'"
        between = f"createdDateTime ge {iso(question.known_from)} and createdDateTime le {iso(question.end)}"
        try:
            found, complete = await self._graph.pages(
                "/v1.0/auditLogs/signIns",
                permission=PERMISSION,
                params={"$filter": f"{named} and {between}", "$top": "1000"},
                most=MOST,
            )
        except PermissionMissingError as refused:
            if NO_LICENSE in str(refused):
                return Unavailable(
                    reason="The tenant has no license for sign-in logs over Graph.", fix="Microsoft Entra ID P1 or P2"
                )
            raise
        return answer_of(map(_sign_in, found), question, complete=complete)


def _quoted(text: str) -> str:
    return text.lower().replace("'", "''")


def _sign_in(record: dict[str, Any]) -> SignIn:
    status = record.get("status") or {}
    location = record.get("location") or {}
    device = record.get("deviceDetail") or {}
    risk = str(record.get("riskLevelDuringSignIn") or "")
    return SignIn(
        at=record["createdDateTime"],
        succeeded=status.get("errorCode") == 0,
        address=str(record.get("ipAddress") or ""),
        country=str(location.get("countryOrRegion") or ""),
        network=str(record.get("autonomousSystemNumber") or ""),
        client=str(record.get("clientAppUsed") or device.get("browser") or ""),
        application=str(record.get("appDisplayName") or ""),
        result=str(status.get("failureReason") or "") if status.get("errorCode") else "",
        risk="" if risk in {"", "none", "hidden"} else risk,
        record=record,
    )

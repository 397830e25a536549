"""Sign-ins: interactive ones from ``auditLogs/signIns`` of v1.0, all others from beta, where v1.0 has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.graph_evidence.pages import PAGING_SECONDS, between, quoted
from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.evidence.networks import network_of
from bypass_responder.evidence.sign_ins import SignIn, answer_of
from bypass_responder.model.question import Answer, AskedAccount, Question, Unavailable

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader

PERMISSION = "AuditLog.Read.All"
MOST = 5_000
NO_LICENSE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
UNLICENSED = Unavailable(
    reason="The tenant has no license for these logs over Graph.", fix="Assign a Microsoft Entra ID P1 or P2 license."
)
NO_NAME = Unavailable(reason="The record names neither an id nor a user.", fix="Look up the account by its name.")
INTERACTIVE = "/v1.0/auditLogs/signIns"
OTHERS = "/beta/auditLogs/signIns"


class SignIns:
    """Sign-ins of one kind. Permission: AuditLog.Read.All. The tenant needs Entra ID P1 or P2."""

    def __init__(self, graph: GraphReader, *kinds: str) -> None:
        """``kinds``: values of ``signInEventTypes``, each asked for by itself; without any, interactive sign-ins."""
        self._graph = graph
        self._kinds = kinds

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read the sign-ins from before the window to after it, the newest first."""
        by_whom = _named(question.account)
        if by_whom is None:
            return NO_NAME
        common = f"{by_whom} and {between('createdDateTime', question.known_from, question.end)}"
        filters = [f"{common} and signInEventTypes/any(t: t eq '{kind}')" for kind in self._kinds] or [common]
        records, complete = [], True
        try:
            for each in filters:
                found = await self._graph.pages(
                    OTHERS if self._kinds else INTERACTIVE,
                    permission=PERMISSION,
                    params={"$filter": each, "$top": "1000"},
                    most=MOST,
                    seconds=PAGING_SECONDS / len(filters),
                )
                records += found.records
                complete = complete and found.complete
        except (PermissionMissingError, RefusedError) as refused:
            if NO_LICENSE in str(refused):
                return UNLICENSED
            raise
        return answer_of(map(_sign_in, records), question, complete=complete)


def _named(account: AskedAccount) -> str | None:
    """Return the part of the filter that names the account: a person's object id, or an application's id."""
    if account.application:
        return f"appId eq {quoted(account.app_id)}" if account.app_id else None
    if account.object_id:
        return f"userId eq {quoted(account.object_id)}"
    name = account.user_principal_name.lower()
    return f"userPrincipalName eq {quoted(name)}" if name else None


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
        network=str(record.get("autonomousSystemNumber") or network_of(str(record.get("ipAddress") or ""))),
        client=_client(record, device),
        application=str(record.get("appDisplayName") or record.get("appId") or ""),
        result=str(status.get("failureReason") or "") if status.get("errorCode") else "",
        risk="" if risk in {"", "none", "hidden"} else risk,
        record=record,
    )


def _client(record: dict[str, Any], device: dict[str, Any]) -> str:
    """Return the client without its version, which changes with every update."""
    agent = str(record.get("userAgent") or "")
    if agent and not agent.startswith("Mozilla/"):
        return agent.partition("/")[0]
    browser = str(device.get("browser") or "").rstrip("0123456789. ")
    known = [str(device.get("operatingSystem") or ""), browser or str(record.get("clientAppUsed") or "")]
    return ", ".join(part for part in known if part)

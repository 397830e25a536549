"""Sign-ins from ``auditLogs/signIns``: interactive ones from v1.0, all others from beta.

v1.0 has interactive sign-ins only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.graph_evidence.pages import PAGING_SECONDS, Pages, between, quoted
from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.evidence.audit_fields import moment, part, text
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
        """``kinds``: values of ``signInEventTypes``, one request each; without any, interactive sign-ins."""
        self._graph = graph
        self._kinds = kinds

    async def ask(self, question: Question, memo: str | None) -> Answer:  # noqa: ARG002 - it answers at once
        """Read the sign-ins from before the window to after it, the newest first."""
        by_whom = _named(question.account)
        if by_whom is None:
            return NO_NAME
        common = f"{by_whom} and {between('createdDateTime', question.known_from, question.end)}"
        filters = [f"{common} and signInEventTypes/any(t: t eq '{kind}')" for kind in self._kinds] or [common]
        seconds = PAGING_SECONDS / len(filters)
        records: dict[str, dict[str, Any]] = {}
        complete = succeeded_complete = True
        try:
            for each in filters:
                found = await self._read(each, seconds * 2 / 3)
                more = Pages([], complete=True) if found.complete else await self._succeeded(each, seconds / 3)
                for record in (*found.records, *more.records):
                    records.setdefault(str(record.get("id") or len(records)), record)
                complete = complete and found.complete
                succeeded_complete = succeeded_complete and more.complete
        except (PermissionMissingError, RefusedError) as refused:
            if NO_LICENSE in str(refused):
                return UNLICENSED
            raise
        sign_ins = [each for each in map(_sign_in, records.values()) if each is not None]
        return answer_of(
            sign_ins,
            question,
            complete=complete,
            succeeded_complete=succeeded_complete,
            unread=len(records) - len(sign_ins),
        )

    async def _succeeded(self, which: str, seconds: float) -> Pages:
        """Return the sign-ins that succeeded.

        Failed ones may push them out: anybody can make thousands of those.
        """
        try:
            return await self._read(f"{which} and status/errorCode eq 0", seconds)
        except (RefusedError, TransientError):
            return Pages([], complete=False)

    async def _read(self, which: str, seconds: float) -> Pages:
        path = OTHERS if self._kinds else INTERACTIVE
        params = {"$filter": which, "$top": "1000"}
        return await self._graph.pages(path, permission=PERMISSION, params=params, most=MOST, seconds=seconds)


def _named(account: AskedAccount) -> str | None:
    """Return the part of the filter that names the account: a person's object id, or an application's id."""
    if account.application:
        return f"appId eq {quoted(account.app_id)}" if account.app_id else None
    if account.object_id:
        return f"userId eq {quoted(account.object_id)}"
    name = account.user_principal_name.lower()
    return f"userPrincipalName eq {quoted(name)}" if name else None


def _sign_in(record: dict[str, Any]) -> SignIn | None:
    """Return a record as a sign-in; None for one without a time."""
    at = moment(record.get("createdDateTime"))
    if at is None:
        return None
    status, address = part(record, "status"), text(record, "ipAddress")
    risk = text(record, "riskLevelDuringSignIn")
    succeeded = text(status, "errorCode") == "0"
    return SignIn(
        at=at,
        succeeded=succeeded,
        address=address,
        country=text(part(record, "location"), "countryOrRegion"),
        network=text(record, "autonomousSystemNumber") or network_of(address),
        client=_client(record, part(record, "deviceDetail")),
        application=text(record, "appDisplayName", "appId"),
        result="" if succeeded else text(status, "failureReason"),
        risk="" if risk.casefold() in {"", "none", "hidden"} else risk,
        record=record,
    )


def _client(record: dict[str, Any], device: dict[str, Any]) -> str:
    """Return the client without its version, which changes with every update."""
    agent = text(record, "userAgent")
    if agent and not agent.startswith("Mozilla/"):
        return agent.partition("/")[0]
    browser = text(device, "browser").rstrip("0123456789. ")
    known = [text(device, "operatingSystem"), browser or text(record, "clientAppUsed")]
    return ", ".join(filter(None, known))

"""Audit records in the shape of the real ones.

The schema is ExchangeAdmin of the Office 365 Management Activity API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.account import Account
    from sandbox.tenant.settings import Settings

EXCHANGE_POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"
"""AppId of the Exchange Online PowerShell client."""
SET_BYPASS = "Set-MailboxAuditBypassAssociation"
Record = dict[str, Any]


def record(
    settings: Settings,
    operation: str,
    *,
    object_id: str,
    parameters: Mapping[str, str],
    user_id: str,
    at: datetime | None = None,
    **other: object,
) -> Record:
    """One ExchangeAdmin record of ``operation``; ``other`` replaces or adds fields."""
    return {
        "CreationTime": f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%S}",
        "Id": str(uuid4()),
        "Operation": operation,
        "OrganizationId": settings.tenant_id,
        "RecordType": 1,
        "ResultStatus": "True",
        "UserKey": "1003200264000001",
        "UserType": 2,
        "Version": 1,
        "Workload": "Exchange",
        "ClientIP": "198.51.100.23:56806",
        "ObjectId": object_id,
        "UserId": user_id,
        "AppId": EXCHANGE_POWERSHELL,
        "ClientAppId": "",
        "ExternalAccess": False,
        "OrganizationName": settings.domain,
        "OriginatingServer": "AM0PR01MB0001 (15.20.9000.001)",
        "Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
        "SessionId": str(uuid4()),
    } | other


def bypass_record(
    settings: Settings,
    target: Account,
    actor: str,
    *,
    switch: str = "True",
    identity: str | None = None,
    **other: Any,  # noqa: ANN401 - any field
) -> Record:
    """Return the record of a run of the cmdlet for ``target``.

    ObjectId is the target's Exchange Name, Identity the typed value (the UPN).
    """
    parameters = {"AuditBypassEnabled": switch, "Identity": identity or target.user_principal_name}
    given = {"object_id": target.exchange_name, "parameters": parameters, "user_id": actor} | other
    return record(settings, SET_BYPASS, **given)


def noise(settings: Settings, number: int = 1) -> list[Record]:
    """Return records of other operations, as they lie beside the one that matters.

    Some name the cmdlet without running it.
    """
    service = "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)"
    upn = f"alex@{settings.domain}"
    kinds: list[Record] = [
        record(settings, "Set-AdminAuditLogConfig", object_id=f"{settings.domain}\\Admin Audit Log Settings",
               parameters={"AdminAuditLogEnabled": "True"}, user_id=service, UserType=3, ExternalAccess=True),
        record(settings, "New-InboxRule", object_id=f"{upn}\\Team", user_id=upn, UserType=0,
               parameters={"Name": "Team", "SubjectContainsWords": "Set-MailboxAuditBypassAssociation"}),
        record(settings, "Set-Mailbox", object_id=upn, user_id=f"admin@{settings.domain}",
               parameters={"Identity": upn, "AuditEnabled": "True"}),
        record(settings, "MailItemsAccessed", object_id="", user_id=upn, RecordType=50, UserType=0, parameters={},
               ResultStatus="Succeeded", MailboxOwnerUPN=upn),
    ]  # fmt: skip
    return [kinds[index % len(kinds)] | {"Id": str(uuid4())} for index in range(number)]

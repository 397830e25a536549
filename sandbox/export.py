"""The tenant of a real export: its id, and the accounts that its bypass records name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tenant.account import DOMAIN, TENANT_ID, Account, made_up_guid
from sandbox.tenant.records import SET_BYPASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GUID_LENGTH = 36


@dataclass(frozen=True)
class RecordedTenant:
    """What to put into the stand-in so that the export could have come from it."""

    tenant_id: str
    domain: str
    accounts: list[Account]


def accounts_for_records(records: Iterable[Mapping[str, Any]]) -> RecordedTenant:
    """Return targets and actors of bypass records, each bypass as its last record left it.

    The records are objects of the Management API. ``ObjectId`` that is a GUID is the target's object id, another text
    its Exchange Name; ``Identity`` is its UPN. Anything that is no readable bypass record is passed over: readability
    is for the responder to judge.
    """
    tenant_id, domain, accounts = TENANT_ID, DOMAIN, dict[str, Account]()
    ran = sorted(filter(_is_bypass, records), key=lambda record: str(record.get("CreationTime")))
    for record in ran:
        tenant_id = str(record.get("OrganizationId") or tenant_id).lower()
        domain = str(record.get("OrganizationName") or domain)
        parameters = {str(p["Name"]).lower(): str(p["Value"]) for p in record["Parameters"]}
        target = _target(str(record.get("ObjectId") or ""), parameters.get("identity", ""), domain)
        known = accounts.setdefault(target.user_principal_name.lower(), target)
        if str(record.get("ResultStatus")).lower() in {"true", "succeeded", "success"}:
            known.audit_bypass_enabled = parameters.get("auditbypassenabled", "").lower() in {"true", "$true", "1"}
    for actor in (str(record.get("UserId") or "") for record in ran):
        if "@" in actor:
            accounts.setdefault(actor.lower(), Account.model_validate({"user_principal_name": actor}))
    return RecordedTenant(tenant_id, domain, list(accounts.values()))


def _is_bypass(record: Mapping[str, Any]) -> bool:
    if str(record.get("Operation")).lower() != SET_BYPASS.lower():
        return False
    parameters = record.get("Parameters")
    return isinstance(parameters, list) and all(
        isinstance(p, dict) and {"Name", "Value"} <= p.keys() for p in parameters
    )


def _target(object_id: str, identity: str, domain: str) -> Account:
    is_guid = len(object_id) == _GUID_LENGTH and object_id.count("-") == 4  # noqa: PLR2004 - the shape of a GUID
    upn = identity if "@" in identity else f"{(identity or object_id).replace(' ', '.')}@{domain}"
    if is_guid:
        return Account.model_validate({"user_principal_name": upn, "object_id": object_id})
    made_up = made_up_guid("entra", upn)
    return Account.model_validate(
        {"user_principal_name": upn, "object_id": made_up, "exchange_name": object_id or made_up}
    )

"""Exchange Online's cmdlets behind ``InvokeCommand``, in the shape of the undocumented admin API.

The protocol is private. The quirk that matters most: a null or unknown identity makes Get-MailboxAuditBypassAssociation
return every object.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.tenant.exchange_mailboxes import READS, CmdletFailure, distinguished_name, set_mailbox
from sandbox.tenant.exchange_rows import DEFAULT_RESULT_SIZE, Parameters, Rows, UnknownFilterError, limited
from sandbox.tenant.identity import EXCHANGE, claims_for
from sandbox.tenant.records import SET_BYPASS, bypass_record, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sandbox.tenant.account import Account
    from sandbox.tenant.state import Tenant

    _Cmdlet = Callable[[Tenant, Parameters, Parameters], tuple[Rows, list[str]] | Response]

_FILTER = re.compile(r"\s*ExternalDirectoryObjectId\s+-eq\s+'([^']*)'\s*\Z", re.IGNORECASE)
NOTHING_TO_CHANGE = "The command completed successfully but no settings of '{}' have been modified."


def exchange_error(status: int, code: str, exception: str, message: str) -> Response:
    """An error answer: the real reason is in ``details``, as ``|exception|message``."""
    details = [{"code": "Context", "target": "", "message": f"|{exception}|{message}"}]
    return JSONResponse({"error": {"code": code, "message": "Error executing cmdlet", "details": details}}, status)


def _refused(exception: str, message: str, *, status: int = 400, code: str = "BadRequest") -> Response:
    return exchange_error(status, code, f"Microsoft.Exchange.Configuration.Tasks.{exception}", message)


async def endpoint_name(request: Request) -> str:
    """The name for counters and faults: ``exchange.`` and the cmdlet."""
    name, _ = _cmdlet(await request.body())
    return f"exchange.{name}"


def _cmdlet(body: bytes) -> tuple[str, Parameters]:
    try:
        given = json.loads(body)["CmdletInput"]
        return str(given["CmdletName"]), dict(given.get("Parameters") or {})
    except (ValueError, KeyError, TypeError):
        return "", {}


async def invoke_command(request: Request, tenant: Tenant) -> Response:
    """Answer ``POST /exchange/{tenant}/InvokeCommand``.

    For the next page, the same body is posted to ``@odata.nextLink``.
    """
    claims = claims_for(request, EXCHANGE)
    if claims is None or claims["tid"] != request.path_params["tenant"].lower():
        return Response(status_code=401)
    name, parameters = _cmdlet(await request.body())
    cmdlet = _CMDLETS.get(name)
    permitted = "Exchange.ManageAsApp" in claims["roles"] and name not in tenant.settings.withheld_cmdlets
    if cmdlet is None or not permitted:
        return Response(b"\0", 403)
    try:
        answer = cmdlet(tenant, parameters, claims)
    except UnknownFilterError:
        return _refused("TaskArgumentException", "The filter is not one that the stand-in understands.")
    except CmdletFailure as failure:
        gone = failure.name == "ManagementObjectNotFoundException"
        status, code = (404, "NotFound") if gone else (400, "BadRequest")
        return _refused(failure.name, str(failure), status=status, code=code)
    if isinstance(answer, Response):
        return answer
    rows, warnings = answer
    return _paged(request, rows, warnings)


def _paged(request: Request, rows: Rows, warnings: list[str]) -> Response:
    preferred = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("prefer", ""))
    size = max(1, int(preferred[1])) if preferred else DEFAULT_RESULT_SIZE
    first = int(request.query_params.get("$skiptoken", "0"))
    body: dict[str, Any] = {"@adminapi.warnings": warnings, "value": rows[first : first + size]}
    if first + size < len(rows):
        body["@odata.nextLink"] = str(request.url.include_query_params(**{"$skiptoken": str(first + size)}))
    return JSONResponse(body)


def _known(tenant: Tenant) -> list[Account]:
    return [account for account in tenant.accounts.values() if not account.deleted]


def _matching(tenant: Tenant, identity: str) -> list[Account]:
    """Every account that Exchange means by this text: a Name, a GUID of either kind, a UPN; without case."""
    wanted = identity.strip().casefold()
    return [
        account
        for account in _known(tenant)
        if wanted
        in {
            account.exchange_name.casefold(),
            account.exchange_guid,
            account.object_id,
            account.user_principal_name.casefold(),
        }
    ]


def _get_user(tenant: Tenant, parameters: Parameters, _claims: Parameters) -> tuple[Rows, list[str]] | Response:
    if text := parameters.get("Filter"):
        wanted = _FILTER.match(str(text))
        if not wanted:
            return _refused("TaskArgumentException", "The filter is not one that the stand-in understands.")
        found = [account for account in _known(tenant) if account.object_id == wanted[1].lower()]
    elif identity := parameters.get("Identity"):
        found = _matching(tenant, str(identity))
        if not found:
            return _not_found(str(identity))
    else:
        found = _known(tenant)
    rows = [
        {
            "Identity": account.exchange_name,
            "Name": account.exchange_name,
            "Guid": account.exchange_guid,
            "ExternalDirectoryObjectId": account.object_id,
            "UserPrincipalName": account.user_principal_name,
            "DistinguishedName": distinguished_name(account),
            "RecipientTypeDetails": "GuestMailUser" if account.user_type == "Guest" else "UserMailbox",
        }
        for account in found
    ]
    return limited(rows, parameters)


def _not_found(identity: str) -> Response:
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found."
    return _refused("ManagementObjectNotFoundException", text, status=404, code="NotFound")


def _get_bypass(tenant: Tenant, parameters: Parameters, _claims: Parameters) -> tuple[Rows, list[str]]:
    found = _matching(tenant, str(parameters.get("Identity") or "")) or _known(tenant)
    stale = tenant.faults.happens("stale_read", "exchange.Get-MailboxAuditBypassAssociation")
    rows = [
        {
            "Identity": account.exchange_name,
            "Id": account.exchange_name,
            "Name": account.exchange_name,
            "Guid": account.exchange_guid,
            "AuditBypassEnabled": tenant.read(account, "audit_bypass_enabled", stale=stale),
        }
        for account in found
    ]
    return limited(rows, parameters)


def _set_bypass(tenant: Tenant, parameters: Parameters, claims: Parameters) -> tuple[Rows, list[str]] | Response:
    identity, switch = str(parameters.get("Identity") or ""), parameters.get("AuditBypassEnabled")
    if not identity or not isinstance(switch, bool):
        return _refused(
            "ParameterBindingException", "Identity and AuditBypassEnabled (true or false) are both required."
        )
    found = _matching(tenant, identity)
    if not found:
        return _not_found(identity)
    if len(found) > 1:
        text = f"The operation couldn't be performed because '{identity}' matches multiple entries."
        return _refused("ManagementObjectAmbiguousException", text)
    account = found[0]
    warnings = [NOTHING_TO_CHANGE.format(account.exchange_name)] if account.audit_bypass_enabled == switch else []
    if not warnings:
        delay = tenant.settings.exchange_delay_seconds
        tenant.change(account, "audit_bypass_enabled", switch, by=claims["appid"], delay_seconds=delay)
    at = tenant.clock()
    own = _caller(claims)
    ran = bypass_record(tenant.settings, account, claims["oid"], switch=str(switch), identity=identity, at=at, **own)
    tenant.deliver([ran], delay_seconds=tenant.settings.own_record_delay_seconds)
    return [], warnings


def _set_mailbox(tenant: Tenant, parameters: Parameters, claims: Parameters) -> tuple[Rows, list[str]]:
    answer = set_mailbox(tenant, parameters, by=claims["appid"])
    [account] = _matching(tenant, str(parameters["Identity"]))
    given = {name: _as_recorded(value) for name, value in parameters.items()}
    where: dict[str, Any] = {"object_id": account.exchange_name, "user_id": claims["oid"], "at": tenant.clock()}
    ran = record(tenant.settings, "Set-Mailbox", parameters=given, **where, **_caller(claims))
    tenant.deliver([ran], delay_seconds=tenant.settings.own_record_delay_seconds)
    return answer


def _as_recorded(value: Any) -> str:  # noqa: ANN401 - the value of any parameter
    """The text that an audit record has of a value: what is added to a list has a plus."""
    added = [f"+{each}" for each in value["Add"]] if isinstance(value, dict) else value
    return ";".join(added) if isinstance(added, list) else str(added)


def _caller(claims: Parameters) -> dict[str, Any]:
    own = {"AppId": claims["appid"], "TokenObjectId": claims["oid"], "TokenTenantId": claims["tid"]}
    return own | {"UserType": 5}


def _get_organization(tenant: Tenant, _parameters: Parameters, _claims: Parameters) -> tuple[Rows, list[str]]:
    return [{"Name": tenant.settings.domain, "AuditDisabled": tenant.settings.audit_disabled}], []


def _get_admin_audit_log(tenant: Tenant, _parameters: Parameters, _claims: Parameters) -> tuple[Rows, list[str]]:
    row = {
        "UnifiedAuditLogIngestionEnabled": tenant.settings.unified_audit_log_ingestion_enabled,
        "AdminAuditLogEnabled": True,
        "AdminAuditLogCmdlets": ["*"],
        "AdminAuditLogParameters": ["*"],
        "AdminAuditLogExcludedCmdlets": [],
        "AdminAuditLogAgeLimit": "90.00:00:00",
    }
    return [row], []


def _without_claims(cmdlet: Callable[[Tenant, Parameters], tuple[Rows, list[str]]]) -> _Cmdlet:
    return lambda tenant, parameters, _claims: cmdlet(tenant, parameters)


_CMDLETS: dict[str, _Cmdlet] = {
    "Get-User": _get_user,
    "Get-MailboxAuditBypassAssociation": _get_bypass,
    SET_BYPASS: _set_bypass,
    "Get-OrganizationConfig": _get_organization,
    "Get-AdminAuditLogConfig": _get_admin_audit_log,
    "Set-Mailbox": _set_mailbox,
    **{name: _without_claims(cmdlet) for name, cmdlet in READS.items()},
}

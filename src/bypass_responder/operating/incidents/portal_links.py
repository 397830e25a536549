"""Links into Microsoft's portals, for the account and the time of an incident. Pure."""

from __future__ import annotations

import base64
import gzip
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from bypass_responder.model.base import Value, moment
from bypass_responder.operating.incidents.sentence import name_of

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.incident import Incident

AROUND = timedelta(hours=2)
"""Before the blind window and after the end of the incident, for a search."""
_ENTRA = "https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserProfileMenuBlade/~"
_DEFENDER = "https://security.microsoft.com"
_PURVIEW = "https://purview.microsoft.com/audit/auditsearch"


class PortalLink(Value):
    """One link, with what to enter there by oneself where an address cannot carry it."""

    name: str
    url: str
    note: str = ""


def portal_links(incident: Incident, tenant_id: str, read_at: datetime) -> tuple[PortalLink, ...]:
    """Return the links; none about an account that is not known."""
    if incident.account is None:
        return ()
    start = (incident.blind_from or incident.opened_at) - AROUND
    end = (incident.closed_at or read_at) + AROUND
    account, tenant = quote(incident.account.object_id), quote(tenant_id)
    window = f"{moment(start)} to {moment(end)}"
    hunt = f"query={_hunting(_query(incident.account.object_id, start, end))}&timeRangeId=month&tid={tenant}"
    return (
        PortalLink(name="Entra: the account", url=f"{_ENTRA}/overview/userId/{account}"),
        PortalLink(name="Entra: sign-ins", url=f"{_ENTRA}/SignIns/userId/{account}", note=f"Dates: {window}"),
        PortalLink(name="Defender: the account", url=f"{_DEFENDER}/user?aad={account}&tid={tenant}"),
        PortalLink(name="Defender: what it did", url=f"{_DEFENDER}/v2/advanced-hunting?{hunt}"),
        PortalLink(name="Purview: audit search", url=_PURVIEW, note=f"Users: {name_of(incident)}. Dates: {window}"),
    )


def _query(object_id: str, start: datetime, end: datetime) -> str:
    between = f"between (datetime({start:%Y-%m-%dT%H:%M:%SZ}) .. datetime({end:%Y-%m-%dT%H:%M:%SZ}))"
    lines = (f"where Timestamp {between}", f'where AccountObjectId == "{object_id}"', "sort by Timestamp asc")
    return "\n| ".join(("CloudAppEvents", *lines))


def _hunting(query: str) -> str:
    """Return a query as the portal's address has it: UTF-16, gzip, base64 for addresses."""
    packed = gzip.compress(query.encode("utf-16-le"), mtime=0)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")

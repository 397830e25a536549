"""The daily query: what was done in watched mailboxes, counted by the service.

``rows`` judges who is not an owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.sensing.hunting.query import IN_EXCHANGE, ROWS, quoted, within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.feed import Window

_OWNER, _USER = "tostring(RawEventData.MailboxOwnerSid)", "tostring(RawEventData.LogonUserSid)"
_CLIENT_APP, _ADDRESS = "tostring(RawEventData.ClientAppId)", "tostring(RawEventData.ClientIPAddress)"
_COLUMNS = {
    "MailboxId": "tolower(tostring(RawEventData.MailboxGuid))",
    "UserId": "tolower(tostring(RawEventData.UserId))",
    "ActorId": "tolower(tostring(AccountObjectId))",
    "AppId": f"tolower(iff(isempty({_CLIENT_APP}), tostring(RawEventData.AppId), {_CLIENT_APP}))",
    "LogonType": "tostring(RawEventData.LogonType)",
    "Same": f'iff(isempty({_OWNER}) or isempty({_USER}), "", iff({_OWNER} =~ {_USER}, "yes", "no"))',
    "Client": "tostring(RawEventData.ClientInfoString)",
    "Address": f"iff(isempty({_ADDRESS}), tostring(IPAddress), {_ADDRESS})",
}
_COUNTED = {
    "Count": "count()",
    "First": "min(Timestamp)",
    "Last": "max(Timestamp)",
    "Clients": "make_set(Client, 5)",
    "Addresses": "make_set(Address, 5)",
}
_BY = ("Mailbox", "MailboxId", "UserId", "ActorId", "AppId", "LogonType", "Same", "ActionType")


def access_query(window: Window, mailboxes: Iterable[str]) -> str:
    """Return the query for what was done in these mailboxes (user principal names) within one day."""
    return "\n| ".join(
        (
            "CloudAppEvents",
            within(window),
            f"where {IN_EXCHANGE}",
            "extend Mailbox = tolower(tostring(RawEventData.MailboxOwnerUPN))",
            f"where Mailbox in ({quoted(sorted(name.lower() for name in mailboxes))})",
            f"extend {_assigned(_COLUMNS)}",
            f"summarize {_assigned(_COUNTED)} by {', '.join(_BY)}",
            "order by Mailbox asc, UserId asc, ActionType asc",
            f"take {ROWS}",
        )
    )


def _assigned(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in columns.items())

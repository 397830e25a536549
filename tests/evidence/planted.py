"""What each source that Graph answers must find of the planted traces.

`sandbox.tenant.logs.planted` leaves the traces.
"""

from __future__ import annotations

PLANTED = {
    "sign_ins": "new country: ZZ; new network: 198.51.0.0/16",
    "sign_ins_non_interactive": "new country: ZZ; new network: 64511; new client: python-requests",
    "directory_changes": "role assignment, on itself",
    "role_changes": "gives the account a role",
    "exchange_changes": "forwards mail outside: drop@fabrikam.com",
    "mail_items_accessed": "sync: every message of the folder counts as read",
    "files_and_teams": "downloads in the blind window: 1",
    "ediscovery": "export of search results, in the blind window",
    "message_trace": "sent outside in the blind window: 1",
    "security_alerts": "alert of severity high",
    "dlp_alerts": "alert of severity high",
    "risk_detections": "risk: anonymizedIPAddress",
    "graph_activity": "mail read over Microsoft Graph, in the blind window: 1",
    "email_events": "sent outside in the blind window: 1",
}

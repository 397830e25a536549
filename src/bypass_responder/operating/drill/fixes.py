"""What to do about a line of the drill that failed: where to look, and with which command."""

from __future__ import annotations

_SWEEP = "`bypassctl doctor` names what keeps the sweep from running, with its fix"
_RECEIVERS = "`bypassctl notify test`, then the runbook, When no notifications arrive"
_CONTROL = "`bypassctl incidents show ID` names the control that failed and why; `bypassctl doctor` names the right"
_BLOCK = "block the account yourself as in the runbook, then `bypassctl doctor`: User.EnableDisableAccount.All"
_WINDOW = "sign in again in a private window; if that works, revoke the sessions in the Entra admin center"
FIXES = {
    "announced": "announce the drill to the receivers: `bypassctl notify test` reaches all of them",
    "doctor": "run `bypassctl doctor`: each problem has its fix",
    "account": "correct what the detail names in Entra, with `bypassctl allowlist remove` or in PROTECTED_OBJECT_IDS; "
    "or drill with another account",
    "swept": _SWEEP,
    "observed": f"{_SWEEP}; check that the cmdlet was run on this account, and that MODE is observe",
    "swept_on": _SWEEP,
    "notified": _RECEIVERS,
    "console": "check the role assignments and that App Service authentication is on: `bypassctl status` has the alert "
    "`console_open`",
    "unchanged": "MODE may be enforce already: `bypassctl status`. If the account was disabled by others, enable it",
    "outlook": "check the license and the mailbox of the account; observe changes nothing",
    "fed": "`bypassctl doctor`: subscription, permission ActivityFeed.Read and unified audit logging",
    "contained": _CONTROL,
    "blocked": _BLOCK,
    "exchange_off": "remove the bypass yourself as in the runbook, then `bypassctl doctor`: the worker's Exchange role",
    "mailed": _RECEIVERS,
    "signed_out": _WINDOW,
    "log": "`bypassctl log verify` lists the problems; the runbook, The log is broken, has what each means",
    "rechecked": "`bypassctl doctor`: timers and the Exchange worker; if the bypass is on again, find out who did it",
    "again": f"check MODE and AUTOMATIC_CONTROLS with `bypassctl status`; {_CONTROL}",
    "released": "enable the account in the Entra admin center; `bypassctl incidents show ID` names why it failed",
    "worker_stopped": "check that the worker is stopped, and the schedule of the sweep: `bypassctl doctor`",
    "worker_back": f"check that the worker runs again; {_SWEEP}",
    "silent": "check the alert rules and their action group in the Azure portal, Monitor, Alerts",
    "polled": "check that the responder runs again; `bypassctl doctor`: timers and the feed",
}
"""By line."""

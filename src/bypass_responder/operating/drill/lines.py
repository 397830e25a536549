"""The lines of docs/drill.md, in their order, as data."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.base import Value

BEFORE, OBSERVE, ENFORCE, AGAIN = "Before", "Part 1: observe", "Part 2: enforce", "Part 2: again"
RELEASE, OUTAGES = "Part 3: release", "Part 4: outages"
HOUR = timedelta(hours=1)
BYPASS = "Set-MailboxAuditBypassAssociation -Identity bypass-drill@YOURDOMAIN -AuditBypassEnabled $true"
NOW, SWEEPS, MINUTES, DAY = timedelta(0), HOUR / 2, timedelta(minutes=2), timedelta(days=1)


class Line(Value):
    """One line of a table: what to do before it, within which time to check what, and what is expected."""

    id: str
    """Also the name of its probe; without one a person answers."""
    part: str
    does: tuple[str, ...] = ()
    """What a person does first: the time of the line, and of those after it, counts from then."""
    within: str
    limit: timedelta
    check: str
    expected: str


def _line(name: str, part: str, within: str, limit: timedelta, check: str, expected: str, *does: str) -> Line:
    return Line(id=name, part=part, within=within, limit=limit, check=check, expected=expected, does=does)


TWO_SWEEPS = "two sweeps (30 minutes)"
GROUP = '--resource-group "$AZURE_RESOURCE_GROUP"'
WORKER, RESPONDER = (f'--name "${name}" {GROUP}' for name in ("WORKER_APP_NAME", "RESPONDER_APP_NAME"))
SHOW = "`bypassctl incidents show ID`"
LINES = (
    _line("announced", BEFORE, "any time", NOW, "the receivers of notifications", "they know of the drill"),
    _line("doctor", BEFORE, "any time", NOW, "`bypassctl doctor`", "no problem"),
    _line(
        "account", BEFORE, "any time", NOW, "the account", "enabled, not synchronized, not allowlisted, not protected"
    ),
    _line("swept", BEFORE, TWO_SWEEPS, SWEEPS, "`bypassctl status`", "a complete sweep that began after the drill did"),
    _line(
        "observed",
        OBSERVE,
        TWO_SWEEPS,
        SWEEPS,
        "`bypassctl incidents list`",
        "an incident for the account, status `observed`",
        BYPASS,
    ),
    _line("swept_on", OBSERVE, TWO_SWEEPS, SWEEPS, SHOW, "it has the source `sweep`"),
    _line(
        "notified",
        OBSERVE,
        TWO_SWEEPS,
        SWEEPS,
        "e-mail, and the webhook if you use one",
        "rule *held*; notification `observed`",
    ),
    _line(
        "console",
        OBSERVE,
        "any time",
        NOW,
        "the console, if it is deployed: sign in with a role and without one, and open the incident",
        "with a role: *Bypass now: on*; without: nothing is shown",
    ),
    _line(
        "unchanged", OBSERVE, "any time", NOW, "the account", "still enabled, bypass still on: observe changes nothing"
    ),
    _line("outlook", OBSERVE, "any time", NOW, "Outlook", "still works"),
    _line("fed", OBSERVE, "a day", DAY, SHOW, "the feed has reported as well, in the same incident"),
    _line(
        "contained",
        ENFORCE,
        "two minutes",
        MINUTES,
        SHOW,
        "the three controls are effective, the blind window has an end",
        "azd env set MODE enforce",
        "azd provision",
        'bypassctl incidents approve ID --reason "Drill" --wait',
    ),
    _line("blocked", ENFORCE, "two minutes", MINUTES, "the account in Entra", "*Account enabled: No*"),
    _line(
        "exchange_off",
        ENFORCE,
        "two minutes",
        MINUTES,
        "`Get-MailboxAuditBypassAssociation -Identity bypass-drill@YOURDOMAIN`",
        "`AuditBypassEnabled : False`",
    ),
    _line("mailed", ENFORCE, "15 minutes", HOUR / 4, "e-mail", "rule *contained*"),
    _line("signed_out", ENFORCE, "one hour", HOUR, "Outlook", "asks to sign in, when its token expires at the latest"),
    _line("log", ENFORCE, "any time", NOW, "`bypassctl log verify`", "0 problems"),
    _line("rechecked", ENFORCE, "just over one hour", HOUR * 1.25, SHOW, "`re-check after 1 h: … off`"),
    _line(
        "again",
        AGAIN,
        TWO_SWEEPS,
        SWEEPS,
        SHOW,
        "contained without an `approve`; reports that the bypass was switched on again",
        BYPASS,
    ),
    _line(
        "released",
        RELEASE,
        "two minutes",
        MINUTES,
        "the account in Entra",
        "*Account enabled: Yes*",
        'bypassctl incidents release ID --reason "Drill" --wait',
    ),
    _line(
        "worker_stopped",
        OUTAGES,
        "two hours",
        HOUR * 2,
        "`bypassctl status`",
        "health alert `sweep_overdue`",
        f"az functionapp stop {WORKER}",
    ),
    _line(
        "worker_back",
        OUTAGES,
        TWO_SWEEPS,
        SWEEPS,
        "`bypassctl status`",
        "`sweep_overdue` recovered",
        f"az functionapp start {WORKER}",
    ),
    _line(
        "silent",
        OUTAGES,
        "20 minutes",
        HOUR / 3,
        "e-mail",
        "rule *responder-silent*",
        f"az functionapp stop {RESPONDER}",
    ),
    _line(
        "polled",
        OUTAGES,
        "15 minutes",
        HOUR / 4,
        "`bypassctl status`",
        "the feed is read again",
        f"az functionapp start {RESPONDER}",
    ),
)

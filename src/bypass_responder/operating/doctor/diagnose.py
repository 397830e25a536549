"""`bypassctl doctor`: turns the gathered facts into problems with fixes. Pure.

Reports root causes, not symptoms: a missing role also stops the polling of the feed, but only the role needs a fix.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.step import CONTROLS
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Problem, Unchecked
from bypass_responder.operating.doctor.health import CHANNELS, TIMER, health_problems
from bypass_responder.operating.doctor.rights import evidence_rights, right_problems, right_unchecked
from bypass_responder.operating.doctor.schedule import longest_gap
from bypass_responder.operating.doctor.storage import storage_problems, storage_unchecked
from bypass_responder.operating.self_check import EVERY

if TYPE_CHECKING:
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.doctor.diagnosis import Facts


def diagnose(facts: Facts) -> Diagnosis:
    """Return the problems, the information and what could not be checked."""
    app = current(facts)
    checked = [*_app_problems(facts), *right_problems(facts, app), *storage_problems(facts, app)]
    ids = {problem.id for problem in checked}
    found = checked + [
        it for it in health_problems(facts, app) if it.id not in ids and not _is_explained_by(it, checked)
    ]
    explained = frozenset[str]().union(*(problem.explains for problem in found))
    problems = [problem for problem in found if problem.id not in explained]
    unchecked = [*right_unchecked(facts), *storage_unchecked(facts, app)]
    storage_reported = any(it.id.startswith("storage_") for it in problems) or any(it.essential for it in unchecked)
    if facts.stored_problem and not storage_reported:
        how = "assign yourself Storage Table Data Reader (docs/permissions.md), or run it inside the account's network"
        unchecked.append(Unchecked(f"the app's self-check: {facts.stored_problem}", how, essential=True))
    if facts.standing_problem and not storage_reported:
        how = "fix the error in this line; `bypassctl status` reads the same data"
        unchecked.append(Unchecked(f"feed, sweep and health alerts: {facts.standing_problem}", how, essential=True))
    information = [
        *_stand_in(facts),
        *_information(app),
        *_hunting(facts),
        *_access(facts),
        *evidence_rights(facts, app),
    ]
    return Diagnosis(problems, information, unchecked)


def _is_explained_by(alert: Problem, checked: list[Problem]) -> bool:
    """True when the health alert is about a right that another problem names, with the fix."""
    rights = {problem.about for problem in checked if problem.id in {"role_missing", "role_not_in_token"}}
    refused = any(problem.id in {"storage_forbidden", "storage_blocked", "storage_by_key"} for problem in checked)
    named = any(right in alert.what for right in rights) or (refused and "Storage Table" in alert.what)
    return alert.id == "response_permission_missing" and named


def current(facts: Facts) -> SelfCheck | None:
    """Return the live self-check, else the stored one while it is fresh, else None."""
    if facts.live is not None:
        return facts.live
    return facts.stored if facts.stored is not None and age(facts, facts.stored) <= stale_after(facts.stored) else None


def age(facts: Facts, check: SelfCheck) -> timedelta:
    """Return the age of a self-check, by the clock of the storage service."""
    return facts.true_now - (check.at - timedelta(seconds=check.storage.skew_seconds or 0))


def stale_after(check: SelfCheck) -> timedelta:
    """Return the age at which the app counts as not running: two intervals plus one scheduler run."""
    return 2 * EVERY + (longest_gap(check.schedules.get("RESUME_SCHEDULE", "")) or EVERY)


def _app_problems(facts: Facts) -> list[Problem]:
    if facts.stored_problem:
        return []
    names = facts.names
    follows = frozenset({"never_polled", "poll_late", "sweep_late", "sweep_unknown"})
    fix = (
        f"az functionapp show --name {names.app} --resource-group {names.group} --query state; "
        f"then check its failed runs: portal, {names.app}, Functions, resume_responses, Invocations"
    )
    if facts.stored is None:
        what = "the app has never stored a self-check: not deployed, does not start, or cannot write to table Feed"
        return [Problem("app_silent", names.app, what, fix, follows)]
    if age(facts, facts.stored) > stale_after(facts.stored):
        if facts.polled_at is not None and facts.polled_at - facts.stored.at > stale_after(facts.stored):
            what = (
                f"resume_responses stored no self-check since {facts.stored.at:%Y-%m-%d %H:%M:%SZ}, and "
                f"poll_audit_feed ran at {facts.polled_at:%Y-%m-%d %H:%M:%SZ}: its timer has stopped, or its runs fail"
            )
            return [Problem("resume_late", "resume_responses", what, f"{fix}; without any run: {TIMER}", follows)]
        what = f"the app's last self-check was at {facts.stored.at:%Y-%m-%d %H:%M:%SZ}: the app does not run"
        return [Problem("app_silent", names.app, what, fix, follows)]
    return []


def _stand_in(facts: Facts) -> list[str]:
    if not facts.stand_in:
        return []
    only = "permissions in the directory, the Exchange role group and Event Grid exist only in a real tenant"
    return [f"GRAPH_URL is {facts.settings.graph_url}, a stand-in for Microsoft's services: {only}"]


def _hunting(facts: Facts) -> list[str]:
    """Return why the hunting sensor is off. It is optional, so that is no problem."""
    why = facts.standing.hunting_off_because if facts.standing else ""
    return [f"the hunting sensor is off (optional, docs/permissions.md): {why}"] if why else []


def _access(facts: Facts) -> list[str]:
    """Return why access to watched mailboxes is not known. It is optional as well."""
    why = facts.standing.access_problem if facts.standing else ""
    return [f"who else opened watched mailboxes is not known (docs/posture.md): {why}"] if why else []


def _information(app: SelfCheck | None) -> list[str]:
    found: list[str] = []
    if app is None:
        return found
    found.append(f"last self-check of the app: {app.at:%Y-%m-%d %H:%M:%SZ}; version {app.version}, mode {app.mode}")
    if app.mode == "observe":
        found.append("MODE is observe: decisions are recorded, nothing is changed in the tenant (docs/settings.md)")
    elif not app.protected:
        found.append("PROTECTED_OBJECT_IDS of the app is empty: break-glass accounts would be blocked too")
    held = [each for each in CONTROLS if each not in app.automatic_controls]
    if held:
        found.append(f"AUTOMATIC_CONTROLS of the app: {', '.join(held)} not included, so each waits for approval")
    if app.receivers:
        found.append(f"notified: {', '.join(app.receivers)}")
    elif app.telemetry and not CHANNELS & {*app.settings}:
        found.append("no receiver is set: only the alert rules of Application Insights notify people")
    return found

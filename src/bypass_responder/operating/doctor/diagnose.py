"""`bypassctl doctor`: from what was gathered to what is wrong, one line each. Pure.

A cause is told and what follows from it is not: without its role the feed is not polled either, and nobody has to fix
two things.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.operating.doctor.diagnosis import Diagnosis, Problem, Unchecked
from bypass_responder.operating.doctor.health import health_problems
from bypass_responder.operating.doctor.rights import right_problems, right_unchecked
from bypass_responder.operating.doctor.schedule import longest_gap
from bypass_responder.operating.doctor.storage import storage_problems, storage_unchecked
from bypass_responder.operating.self_check import EVERY

if TYPE_CHECKING:
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.doctor.diagnosis import Facts


def diagnose(facts: Facts) -> Diagnosis:
    """What is wrong, what is worth knowing, what was not looked at."""
    app = current(facts)
    looked = [*_app_problems(facts), *right_problems(facts, app), *storage_problems(facts, app)]
    ids = {problem.id for problem in looked}
    found = looked + [it for it in health_problems(facts, app) if it.id not in ids and not _said_better(it, looked)]
    explained = frozenset[str]().union(*(problem.explains for problem in found))
    problems = [problem for problem in found if problem.id not in explained]
    unchecked = [*right_unchecked(facts), *storage_unchecked(facts, app)]
    storage_told = any(it.id.startswith("storage_") for it in problems) or any(it.essential for it in unchecked)
    if facts.stored_problem and not storage_told:
        how = "give yourself Storage Table Data Reader (docs/permissions.md), or run it where the account is reached"
        unchecked.append(Unchecked(f"the app's self-check: {facts.stored_problem}", how, essential=True))
    if facts.standing_problem and not storage_told:
        how = "fix what the line names; `bypassctl status` says the same"
        unchecked.append(Unchecked(f"feed, sweep and health alerts: {facts.standing_problem}", how, essential=True))
    return Diagnosis(problems, _information(facts, app), unchecked)


def _said_better(alert: Problem, looked: list[Problem]) -> bool:
    """The health alert tells of a right that the self-check names, with what fixes it."""
    rights = {problem.about for problem in looked if problem.id in {"role_missing", "role_not_in_token"}}
    refused = any(problem.id in {"storage_forbidden", "storage_blocked", "storage_by_key"} for problem in looked)
    named = any(right in alert.what for right in rights) or (refused and "Storage Table" in alert.what)
    return alert.id == "response_permission_missing" and named


def current(facts: Facts) -> SelfCheck | None:
    """What is true of the app now: looked at this moment as the app, or its own look where that is fresh."""
    if facts.live is not None:
        return facts.live
    return facts.stored if facts.stored is not None and age(facts, facts.stored) <= stale_after(facts.stored) else None


def age(facts: Facts, check: SelfCheck) -> timedelta:
    """How old a look is, by the clock of the storage service."""
    return facts.true_now - (check.at - timedelta(seconds=check.storage.skew_seconds or 0))


def stale_after(check: SelfCheck) -> timedelta:
    """Two looks, and a run of the scheduler: later than that the app does not run."""
    return 2 * EVERY + (longest_gap(check.schedules.get("RESUME_SCHEDULE", "")) or EVERY)


def _app_problems(facts: Facts) -> list[Problem]:
    if facts.stored_problem:
        return []
    names = facts.names
    follows = frozenset({"never_polled", "poll_late", "sweep_unknown"})
    fix = (
        f"az functionapp show --name {names.app} --resource-group {names.group} --query state; "
        f"then its failed runs: portal, {names.app}, Functions, resume_responses, Invocations"
    )
    if facts.stored is None:
        what = "the app has never looked at itself: it was not deployed or does not start, or it cannot write to Feed"
        return [Problem("app_silent", names.app, what, fix, follows)]
    if age(facts, facts.stored) > stale_after(facts.stored):
        what = f"the app last looked at itself at {facts.stored.at:%Y-%m-%d %H:%M:%SZ}: it does not run"
        return [Problem("app_silent", names.app, what, fix, follows)]
    return []


def _information(facts: Facts, app: SelfCheck | None) -> list[str]:
    found: list[str] = []
    if app is None:
        return found
    found.append(f"the app looked at itself at {app.at:%Y-%m-%d %H:%M:%SZ}; version {app.version}, mode {app.mode}")
    if app.mode == "observe":
        found.append("MODE is observe: everything is decided and recorded, nothing is changed (docs/settings.md)")
    elif not app.protected:
        found.append("PROTECTED_OBJECT_IDS of the app is none: an emergency-access account would be blocked too")
    if app.mode != facts.settings.mode.value:
        found.append(
            f"MODE of this shell is {facts.settings.mode.value}, of the app {app.mode}: "
            "bypassctl incidents approve and release look at this shell's"
        )
    if app.told and "NOTIFICATION_WEBHOOK_URL" not in app.settings:
        found.append("no webhook is set: people are told by the alert rules of Application Insights only")
    return found

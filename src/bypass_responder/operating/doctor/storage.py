"""Problems of tables, queues and containers: missing, forbidden or unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.self_check import POISON, Access, Place, Reach
from bypass_responder.operating.doctor.diagnosis import Problem, Unchecked
from bypass_responder.operating.self_check import send_only
from bypass_responder.rights import storage_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.doctor.diagnosis import Facts, Names

KEYS_OFF = "KeyBasedAuthenticationNotPermitted"
FIREWALL = "AuthorizationFailure"
RUNS_FOLLOW = frozenset({"never_polled", "poll_failing", "poll_late", "sweep_unknown"})
WORKER_FOLLOWS = frozenset({"sweep_incomplete", "sweep_overdue", "sweeps_silent", "worker_silent"})
_CREATE = {Place.TABLE: "storage table create", Place.QUEUE: "storage queue create"}
_SERVICE = {Place.TABLE: "tableServices/default/tables", Place.QUEUE: "queueServices/default/queues"}


def storage_problems(facts: Facts, app: SelfCheck | None) -> Iterator[Problem]:
    """Yield the problems of the app's storage. A place that only the caller cannot read is not a problem."""
    here = {(reach.place, reach.name): reach for reach in facts.here.reaches}
    theirs = {(reach.place, reach.name): reach for reach in app.storage.reaches} if app else {}
    unreached: list[Reach] = []
    for key in {**here, **theirs}:
        seen, mine = here.get(key), theirs.get(key)
        if (missing := _missing(seen, mine)) is not None:
            yield _missing_problem(missing, facts)
        elif mine is not None and mine.access is Access.FORBIDDEN and mine.name not in send_only(facts.settings):
            yield _forbidden_problem(mine, facts, app)
        elif mine is not None and mine.access is Access.UNREACHABLE:
            unreached.append(mine)
        if held := _poisoned(seen, mine):
            yield _poison_problem(key[1], held)
    yield from _unreachable_problems(unreached, facts.names)


def _missing(seen: Reach | None, mine: Reach | None) -> Reach | None:
    """Return the missing place. The caller's check is newer and takes precedence, unless it was refused."""
    latest = seen if seen is not None and seen.access in {Access.OK, Access.MISSING} else mine
    return latest if latest is not None and latest.access is Access.MISSING else None


def _poisoned(seen: Reach | None, mine: Reach | None) -> int:
    latest = seen if seen is not None and seen.access is Access.OK else mine
    return latest.held if latest and latest.name.endswith(POISON) else 0


def _missing_problem(reach: Reach, facts: Facts) -> Problem:
    account = facts.names.account
    if reach.place is Place.CONTAINER:
        command = f"az storage container create --auth-mode login --account-name {account} --name {reach.name}"
    else:
        command = f"az {_CREATE[reach.place]} --auth-mode login --account-name {account} --name {reach.name}"
    fix = f"azd provision (or: {command}); its content is lost: find out who deleted it"
    what = f"the {reach.place.value} {reach.name} does not exist"
    return Problem("storage_missing", f"{reach.place.value} {reach.name}", what, fix, _follows(reach))


def _forbidden_problem(reach: Reach, facts: Facts, app: SelfCheck | None) -> Problem:
    about, account = f"{reach.place.value} {reach.name}", facts.names.account
    if reach.code == KEYS_OFF:
        what = f"the {about} does not accept keys, but the app uses a connection string"
        fix = "set the three ResponderStorage__…ServiceUri instead of ResponderStorage (docs/settings.md)"
        return Problem("storage_by_key", about, what, fix, _follows(reach))
    if reach.code == FIREWALL:
        what = f"the firewall of {account} blocks the app from the {about} ({reach.code})"
        fix = f"az storage account show --name {account} --query networkRuleSet; azd provision restores the rules"
        return Problem("storage_blocked", about, what, fix, _follows(reach))
    role = storage_role(reach.place.value, reach.name)
    principal = next((token.object_id for token in app.tokens if token.object_id), "") if app else ""
    scope = f"{_SERVICE.get(reach.place, 'blobServices/default/containers')}/{reach.name}"
    fix = (
        f"azd provision (or: az role assignment create --role '{role}' --assignee-principal-type ServicePrincipal "
        f"--assignee-object-id {principal or 'PRINCIPAL_ID'} "
        f'--scope "$(az storage account show --name {account} --query id --output tsv)/{scope}")'
    )
    what = f"the app has no {role} on the {about} ({reach.code or 'refused'})"
    return Problem("storage_forbidden", about, what, fix, _follows(reach))


def _unreachable_problems(unreached: Iterable[Reach], names: Names) -> Iterator[Problem]:
    """Yield one problem per storage service, because its tables, queues or containers fail together."""
    for place in Place:
        of_place = [reach for reach in unreached if reach.place is place]
        if of_place:
            what = f"the app cannot reach {', '.join(reach.name for reach in of_place)}: {of_place[0].code}"
            fix = (
                f"check the network: az storage account show --name {names.account} --query "
                "'[primaryEndpoints, networkRuleSet]'; check that the app's network resolves the private endpoint"
            )
            yield Problem("storage_unreachable", f"{place.value}s", what, fix, _follows(of_place[0]))


def _poison_problem(queue: str, held: int) -> Problem:
    what = f"the queue {queue} holds {held} message{'s' * (held > 1)} that failed five times"
    fix = "resume_responses processes them at its next run; if they stay, check its failed runs: portal, Functions"
    return Problem("poison_waiting", queue, what, fix)


def _only_read() -> Unchecked:
    what = "whether the app may write to its tables and containers and send to its queues: the self-check only reads"
    return Unchecked(
        what, "bypassctl status: a run without the right raises the health alert response_permission_missing"
    )


def _follows(reach: Reach) -> frozenset[str]:
    return RUNS_FOLLOW | (WORKER_FOLLOWS if reach.name.startswith(("exchange-", "sweeps")) else frozenset())


def storage_unchecked(facts: Facts, app: SelfCheck | None) -> Iterator[Unchecked]:
    """Yield what neither the caller nor the app's self-check could read."""
    sent = send_only(facts.settings)
    by_app = {(reach.place, reach.name) for reach in app.storage.reaches} if app else set()
    closed = [reach for reach in facts.here.reaches if reach.access in _HOW]
    missed = [reach for reach in closed if (reach.place, reach.name) not in by_app and reach.name not in sent]
    for access, how in _HOW.items():
        of_access = [reach for reach in missed if reach.access is access]
        if of_access:
            names = ", ".join(reach.name for reach in of_access)
            yield Unchecked(f"{names}: {of_access[0].code or access.value}", how, essential=True)
    yield _only_read()
    known = {reach.name for reach in facts.here.reaches if reach.access not in _HOW}
    if not missed and (unread := sorted(sent - known)):
        what = f"{' and '.join(unread)}: the app can only send to them; a health alert reports when it cannot"
        yield Unchecked(what, "run doctor as a person with Storage Queue Data Reader")


_HOW = {
    Access.NO_TOKEN: "sign in: az login",
    Access.UNREACHABLE: "run doctor inside the account's network, or from one of allowedAddresses",
    Access.FORBIDDEN: "get the roles of a reader on the account: docs/permissions.md#a-person-with-bypassctl",
}

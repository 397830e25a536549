"""Problems of the app's tokens, their roles and the feed subscription, and of the worker's role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.operating.doctor.diagnosis import Problem, Unchecked
from bypass_responder.rights import (
    EXCHANGE_GRANTS,
    EXCHANGE_ROLE_GROUP,
    RESPONDER_ROLES,
    SERVICES,
    WORKER_ROLES,
    Api,
    AppRole,
    open_evidence,
    worker_may,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bypass_responder.model.organization_read import OrganizationRead
    from bypass_responder.model.self_check import SelfCheck, Token
    from bypass_responder.operating.doctor.diagnosis import Facts

FEED_FOLLOWS = frozenset(
    {
        "feed_refused",
        "feed_silent",
        "never_polled",
        "permission_lost",
        "permission_missing",
        "poll_failing",
        "poll_late",
    }
)
SUBSCRIPTION_FOLLOWS = FEED_FOLLOWS - {"feed_refused"}
WORKER_FOLLOWS = frozenset(
    {
        "sweep_incomplete",
        "sweep_overdue",
        "sweep_unknown",
        "sweeps_silent",
        "worker_permission_missing",
        "worker_silent",
    }
)
ONLY_TIME = (
    "wait: Azure caches the token until then, and neither a restart nor a deployment renews it. The only faster way is "
    "a new user-assigned identity whose rights are granted before its first token "
    "(docs/runbook.md#a-permission-that-is-granted-and-does-not-work)"
)


def right_problems(facts: Facts, app: SelfCheck | None) -> Iterator[Problem]:
    """Yield the problems of the app's tokens, roles and subscription, and of the worker's role."""
    if app is not None:
        yield from _token_problems(facts, app)
        if not _polled_since(facts, app):
            yield from _subscription_problems(app)
    worker, console = facts.names.worker_principal, facts.names.console_principal
    for principal in facts.gone:
        whose = {worker: "the Exchange worker", console: "the console"}.get(principal, "the app")
        what = f"the identity of {whose}, {principal}, does not exist in the directory"
        fix = "azd provision creates it again; then set this shell from `azd env get-values` and run bypassctl grant"
        follows = {worker: WORKER_FOLLOWS, console: frozenset[str]()}.get(principal, FEED_FOLLOWS)
        yield Problem("identity_missing", principal, what, fix, follows)
    if facts.worker_may is not None:
        yield from _extra_entries(facts.worker_may)
    if facts.grants is not None and facts.grants.get(console):
        what = (
            f"the console's identity has {len(facts.grants[console])} application permissions. It must have none: "
            "its pages can be attacked from outside"
        )
        fix = "bypassctl grant --check names them; revoke them in the Entra admin center, and find out who granted them"
        yield Problem("console_has_rights", console, what, fix)
    if facts.grants is not None and worker in facts.grants:
        for role in WORKER_ROLES:
            if role.id not in facts.grants[worker]:
                what = f"the Exchange worker has no {role.value} of {SERVICES[role.api]}: {role.missing}"
                yield Problem("worker_role_missing", role.value, what, "bypassctl grant", WORKER_FOLLOWS)


def _extra_entries(read: OrganizationRead) -> Iterator[Problem]:
    """Yield a problem for each cmdlet or parameter that the worker's roles have and no set grants."""
    for entry in read.own_entries.items:
        if worker_may(entry.cmdlet, entry.parameters):
            continue
        grants = [each for each in EXCHANGE_GRANTS.values() if each.permits(entry.cmdlet, ())]
        more = [name for name in entry.parameters if not any(name in each.parameters for each in grants)]
        named = f"{entry.cmdlet} -{' -'.join(more)}" if grants else entry.cmdlet
        what = f"the Exchange worker may run {named}, which no set grants: role {entry.role}"
        fix = (
            "find out who added it (Exchange admin audit log), then run the script that "
            "bypassctl grant --exchange-script prints for that role group again"
        )
        yield Problem("worker_right_extra", f"{entry.role}\\{entry.cmdlet}", what, fix)


def _token_problems(facts: Facts, app: SelfCheck) -> Iterator[Problem]:
    without = [token for token in app.tokens if token.problem]
    if without:
        which = " and ".join(SERVICES[Api(token.api)] for token in without)
        names = facts.names
        fix = (
            f"az functionapp identity show --name {names.app} --resource-group {names.group}; "
            "AZURE_CLIENT_ID must be the client id of that identity; `azd provision` sets both"
        )
        follows = FEED_FOLLOWS | {"response_permission_missing"}
        yield Problem("token_missing", which, f"the app gets no token for {which}: {without[0].problem}", fix, follows)
    for token in app.tokens:
        if token.problem:
            continue
        if token.tenant_id and token.tenant_id != facts.settings.tenant_id:
            what = (
                f"the app's identity belongs to tenant {token.tenant_id}, but TENANT_ID is {facts.settings.tenant_id}"
            )
            fix = "set TENANT_ID, here and in the app, to the monitored tenant, and deploy to that tenant"
            yield Problem("tenant_wrong", "TENANT_ID", what, fix, FEED_FOLLOWS)
            return
    for role in RESPONDER_ROLES:
        held = app.token(role.api)
        if held is None or held.problem:
            continue
        if role.value in held.roles:
            if facts.grants is not None and role.id not in facts.grants.get(held.object_id, {role.id: None}):
                yield _revoked(role, held)
            continue
        if role.api is not Api.MANAGEMENT or not _polled_since(facts, app):
            yield _role_problem(facts, role, held)


def _revoked(role: AppRole, token: Token) -> Problem:
    """Return the problem of a role that is revoked but remains in the token until it expires."""
    what = (
        f"{role.value} of {SERVICES[role.api]} was revoked in the directory. The app's token, issued at "
        f"{_at(token.issued_at)}, has it until {_at(token.expires_at)}. After that: {role.missing}"
    )
    fix = "bypassctl grant; then find out who revoked it: Entra admin center, Audit logs"
    return Problem("role_taken_away", role.value, what, fix)


def _polled_since(facts: Facts, app: SelfCheck) -> bool:
    """True when a poll succeeded after the self-check, so that earlier feed problems are fixed."""
    return facts.polled_at is not None and facts.polled_at > app.at


def _role_problem(facts: Facts, role: AppRole, token: Token) -> Problem:
    follows = FEED_FOLLOWS if role.api is Api.MANAGEMENT else frozenset[str]()
    named = f"{role.value} of {SERVICES[role.api]}"
    held = facts.grants.get(token.object_id) if facts.grants is not None else None
    until = f"valid until {_at(token.expires_at)}"
    if held is not None and role.id in held:
        granted = held[role.id]
        before = bool(granted and token.issued_at and token.issued_at < granted)
        order = "before the grant at" if before else "although granted at"
        what = (
            f"{named} is granted, but missing in the app's token: issued at {_at(token.issued_at)}, {order} "
            f"{_at(granted)}, {until}; until then: {role.missing}"
        )
        return Problem("role_not_in_token", role.value, what, ONLY_TIME, follows)
    fix = "bypassctl grant"
    if held is None:
        fix += f"; if bypassctl grant --check shows it as granted, wait: the token of {_at(token.issued_at)} is {until}"
    return Problem("role_missing", role.value, f"the app has no {named}: {role.missing}", fix, follows)


def _subscription_problems(app: SelfCheck) -> Iterator[Problem]:
    if app.subscription == "missing":
        what = "the audit feed has no subscription to Audit.Exchange"
        fix = (
            "the app starts it at the next poll. If it stays missing, the unified audit log is off: "
            "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true"
        )
        yield Problem("subscription_missing", "Audit.Exchange", what, fix, SUBSCRIPTION_FOLLOWS)
    elif app.subscription and app.subscription != "enabled":
        what = f"the subscription of the audit feed to Audit.Exchange is {app.subscription}"
        fix = (
            "find out which administrator disabled it, then POST subscriptions/start?contentType=Audit.Exchange "
            "(docs/runbook.md#a-disabled-subscription)"
        )
        yield Problem("subscription_disabled", "Audit.Exchange", what, fix, SUBSCRIPTION_FOLLOWS)
    elif app.subscription_problem:
        fix = "docs/runbook.md#error-codes-of-the-feed; without a code, check Microsoft 365 service health"
        follows = SUBSCRIPTION_FOLLOWS | {"permission_lost"}
        yield Problem("feed_refused", "Audit.Exchange", app.subscription_problem, fix, follows)


def evidence_rights(facts: Facts, app: SelfCheck | None) -> Iterator[str]:
    """Yield one line for each optional permission for evidence that the app lacks: never a problem."""
    held = app.token(Api.GRAPH) if app else None
    if held is None or held.problem:
        return
    missing = open_evidence(held.roles)
    if len(missing) == len(open_evidence(())):
        yield (
            "evidence: no optional permission is granted, so other sources stay unread (docs/permissions.md); "
            "bypassctl grant --evidence core, or full, grants them"
        )
        return
    granted = (facts.grants or {}).get(held.object_id, {})
    for role in missing:
        if role.id in granted:
            yield f"evidence: {role.value} is granted; the app's token has it after {_at(held.expires_at)}"
        else:
            yield f"evidence: {role.value} is not granted: {role.missing}; bypassctl grant --evidence {role.value}"


def right_unchecked(facts: Facts) -> Iterator[Unchecked]:
    """Yield the rights and resources that cannot be checked from here.

    A stand-in for Microsoft has none of them.
    """
    if facts.stand_in:
        return
    if facts.grants is None:
        how = "bypassctl grant --check, as a person who may read service principals"
        yield Unchecked(f"the granted rights in the directory: {facts.grants_problem or 'not read'}", how)
    elif not facts.names.worker_principal:
        how = "set WORKER_PRINCIPAL_ID (`azd env get-values` has it)"
        yield Unchecked("the Exchange worker's role in the directory: its identity is unknown", how)
    how = f'in Exchange Online PowerShell: Get-RoleGroupMember "{EXCHANGE_ROLE_GROUP}"'
    yield Unchecked("whether the worker may run its cmdlets; a health alert reports when it may not", how)
    own = facts.worker_may.own_entries if facts.worker_may else None
    if own is None or own.error or not own.items:
        why = (own.error if own else None) or "the worker has not read them"
        yield Unchecked(
            f"whether the worker may run more than it needs: {why}", "bypassctl grant --exchange-script --set reads"
        )
    names = facts.names
    how = (
        f"az eventgrid event-subscription list --source-resource-id "
        f"$(az eventgrid topic show --name {names.topic} --resource-group {names.group} --query id --output tsv)"
    )
    yield Unchecked("the event subscription for alerts: only Azure Resource Manager can read it", how)


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "an unknown time"

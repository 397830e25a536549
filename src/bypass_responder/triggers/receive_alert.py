"""``receive_alert`` and ``receive_queued_alert``: store an alert as a hint, to be confirmed.

Exchange is asked; only a confirmed hint leads to a decision. Errors that retrying cannot fix are not raised,
because Event Grid would redeliver the event for a day.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bypass_responder.detection import detect
from bypass_responder.errors import InputError
from bypass_responder.event_lines import write_line
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.alert import Alert
from bypass_responder.model.base import EARLIEST, guid_or_none, target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor, AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.record import Unreadable, excerpt
from bypass_responder.model.technique import SWITCHES
from bypass_responder.sensing.alert import read_alert
from bypass_responder.session import change, raise_health
from bypass_responder.triggers.store_records import bounded_actor, bounded_change
from bypass_responder.triggers.store_tampering import own_of, store_tampering
from bypass_responder.triggers.sweep_bypass_state import plan_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.services import Services


async def receive_alert(body: bytes, services: Services) -> None:
    """Process one event. Raises only when it cannot be stored, so that it is redelivered."""
    alert = read_alert(body, tenant_id=services.settings.tenant_id)
    if isinstance(alert, Unreadable):
        await _keep_unreadable(alert, services)
        return
    try:
        reported = [detect(record, own_of(services.settings)) for record in alert.records]
        tampering = [_bounded(each) for each in reported if isinstance(each, AuditTampering)]
        findings = _findings(alert, [each for each in reported if isinstance(each, BypassChange)], services.clock())
    except InputError as error:
        await _keep_unreadable(_as_unreadable(alert, error), services)
        return
    if not findings and not tampering:
        nothing = InputError("no_record", "the alert contains no record of a change that weakens auditing")
        await _keep_unreadable(_as_unreadable(alert, nothing), services)
        return
    await store_tampering(tampering, services, source=Source.HINT)
    if any(each.technique in SWITCHES for each in tampering):
        await _sweep_for_switches(alert, services)
    if findings:
        await _store_hints(findings, alert, services)


async def _store_hints(findings: Sequence[Finding], alert: Alert, services: Services) -> None:
    """Store and settle.

    After a crash in between, the event is redelivered, and its findings are still undecided.
    """
    new = [finding for finding in findings if finding.fingerprint not in services.done]
    if not new:
        return
    evidence = await services.evidence.keep(alert.raw)
    kept = [finding.model_copy(update={"evidence": evidence}) for finding in new]
    open_targets = {
        finding.target
        for finding in kept
        if await services.ledger.add_finding(finding) or await _is_undecided(finding, services)
    }
    try:
        await settle_all(open_targets, services)
    except ExceptionGroup as group:  # stored: resume_responses continues, and a redelivery would not help
        write_line("hint_waits", logging.WARNING, problems=len(group.exceptions))
    services.done.add(finding.fingerprint for finding in new)


async def _is_undecided(known: Finding, services: Services) -> bool:
    """Return True where nothing was done about a stored finding; also where its case cannot be read."""
    try:
        case = await services.ledger.load(known.target)
    except InputError:
        return True  # settling it reports the row
    finding = case.row(Finding, known.row_key)
    return finding is not None and finding.state is FindingState.UNDECIDED


async def _sweep_for_switches(alert: Alert, services: Services) -> None:
    """Request a sweep, which reads the organization's audit switches that the alert is about."""
    stated = f"{alert.source or 'an alert'} reports that an audit switch of the organization was changed"
    await change(TENANT_TARGET, lambda draft: draft.log("hint", stated, event_id=alert.id), services)
    await plan_sweep(services)


async def _keep_unreadable(item: Unreadable, services: Services) -> None:
    """Notify before it is kept: a run that is interrupted in between repeats both."""
    detail = f"Latest: from {item.source or 'an unknown sender'}: {item.reason}, {item.detail}"
    await raise_health("alerts_unreadable", detail[:500], services)
    await services.feed_store.keep_unreadable([item], received_at=services.clock())


def _as_unreadable(alert: Alert, error: InputError) -> Unreadable:
    return Unreadable(
        reason=error.reason,
        detail=error.detail,
        source=alert.source,
        where=f"event {alert.id}",
        excerpt=excerpt(alert.raw),
    )


def _findings(alert: Alert, changes: Sequence[BypassChange], now: datetime) -> list[Finding]:
    """Return one finding per claimed target. Raises InputError for a record that names no account."""
    stated: list[tuple[str, str, datetime | None, Actor, str | None]] = [
        (*_names(hint.target), hint.occurred_at, Actor(user_id=hint.actor), hint.link) for hint in alert.hints
    ]
    for found in map(bounded_change, changes):
        texts = (found.object_id_text, found.identity_text)
        stated.append((*texts, found.occurred_at, bounded_actor(found.actor), None))
    return [
        Finding(
            id=f"hint-{alert.id}-{number:02d}",
            target=guid_or_none(object_id) or target_key(object_id, identity),
            source=Source.HINT,
            switch=Switch.UNKNOWN,
            outcome=Outcome.UNKNOWN,
            effective_at=max(min(claimed or alert.sent_at or now, now), EARLIEST),
            object_id_text=object_id,
            identity_text=identity,
            actor=actor,
            claimed_at=max(claimed, EARLIEST) if claimed else None,
            sender=alert.source,
            link=link,
            received_at=now,
            available_at=alert.sent_at,
        )
        for number, (object_id, identity, claimed, actor, link) in enumerate(stated)
    ]


def _bounded(found: AuditTampering) -> AuditTampering:
    return found.model_copy(update={"actor": bounded_actor(found.actor)})


def _names(target: str) -> tuple[str, str]:
    """Return object id and name: a GUID is an object id, anything else a name."""
    return (target, "") if guid_or_none(target) else ("", target)

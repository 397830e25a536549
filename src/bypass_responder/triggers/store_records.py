"""Stores audit records as findings, without a decision. The cursor moves only after they are stored."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.detection import detect, detect_permissions
from bypass_responder.errors import InputError
from bypass_responder.handling.identify import Lookups
from bypass_responder.model.base import EARLIEST, guid_or_none, record_key, target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor, AuditTampering, BypassChange
from bypass_responder.model.finding import Finding, Source, strengthened
from bypass_responder.model.hunting import Arrival
from bypass_responder.model.operation import BYPASS_OPERATION, folded
from bypass_responder.model.record import AuditRecord, Unreadable, excerpt
from bypass_responder.session import all_announced
from bypass_responder.tampering.family import EXCHANGE, content_of
from bypass_responder.triggers.report_unread import report_unread
from bypass_responder.triggers.store_tampering import own_of, store_tampering

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.model.permission_change import PermissionChange
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

LONGEST_NAME = 1024
LONGEST_TEXT = 512


@dataclass(frozen=True)
class Stored:
    """The stored findings, the targets to settle, and the count of new unreadable records.

    Copies that this process has stored before are left out.
    The scheduler settles a target of which nothing is new: only after a crash is anything left to do there.
    """

    targets: frozenset[str]
    findings: tuple[Finding, ...]
    unreadable: int
    arrivals: tuple[Arrival, ...]
    """When the sensor brought each record of interest, those included that another one had brought before."""


async def store_records(
    records: Iterable[AuditRecord],
    services: Services,
    *,
    source: str,
    available_at: datetime | None,
    first_run: bool,
    lookups: Lookups,
    sensor: Source = Source.FEED,
) -> Stored:
    """Store every finding with its evidence; keep records that cannot be judged as unreadable.

    ``lookups`` starts reading what the decision will need.
    """
    changes: list[BypassChange] = []
    tampering: list[AuditTampering] = []
    permissions: list[PermissionChange] = []
    unreadable: list[Unreadable] = []
    for record in records:
        try:
            found = _read(record, services.settings)
            permissions += _permissions(record, services.settings)
        except InputError as error:
            unreadable.append(_unreadable(record, error, source))
            continue
        match found:
            case BypassChange():
                changes.append(found)
            case AuditTampering():
                tampering.append(found)
            case None:
                pass
    now = services.clock()
    brought = [(each.record_id, each.occurred_at) for each in changes]
    brought += [(each.record_id, each.occurred_at) for each in tampering]
    found_in = [(_finding(change, sensor, now, available_at, first_run=first_run), change.raw) for change in changes]
    new = {each.fingerprint: (each, raw) for each, raw in found_in if each.fingerprint not in services.done}
    store = limited(partial(_store, services=services, lookups=lookups))
    async with all_announced({finding.target for finding, _ in new.values()}, services):
        stored = await asyncio.gather(*map(store, new.values()))
    services.done.add(new)  # not before they are announced again: a failed run is repeated
    findings = [finding for finding, _ in stored]
    reported = await report_unread(unreadable, services)
    kept = await services.feed_store.keep_unreadable(unreadable, received_at=services.clock()) if unreadable else 0
    await store_tampering(tampering, services, source=sensor)
    if permissions:
        await services.permissions.defer(permissions, now)
    of_tenant = {TENANT_TARGET} if tampering or reported else set()
    targets = {finding.target for finding, added in stored if added} | of_tenant
    return Stored(
        frozenset(targets),
        tuple(findings),
        unreadable=kept,
        arrivals=tuple(_arrival(record_id, at, sensor, now) for record_id, at in brought),
    )


def _arrival(record_id: str, at: datetime, sensor: Source, now: datetime) -> Arrival:
    at = max(at, EARLIEST)
    return Arrival(record_id=record_key(record_id), sensor=sensor.value, occurred_at=at, arrived_at=now)


def _read(record: AuditRecord, settings: Settings) -> BypassChange | AuditTampering | None:
    found = detect(record, own_of(settings))
    if found is None:
        return None
    _require_ours(record, settings)
    found = found.model_copy(update={"actor": bounded_actor(found.actor)})
    return found if isinstance(found, AuditTampering) else bounded_change(found)


def _permissions(record: AuditRecord, settings: Settings) -> list[PermissionChange]:
    if found := detect_permissions(record):
        _require_ours(record, settings)
    return [each.model_copy(update={"actor": bounded_actor(each.actor)}) for each in found]


def _require_ours(record: AuditRecord, settings: Settings) -> None:
    _require_feed_format(record)
    if guid_or_none(record.organization_id or "") != settings.tenant_id:
        raise InputError("other_tenant", f"the record belongs to the tenant {record.organization_id or '(none)'}")


def _require_feed_format(record: AuditRecord) -> None:
    """Raise InputError for a record that is not in the format of the feed. Exports have other formats."""
    if record.note:
        raise InputError("wrong_type", record.note)
    try:
        raw = json.loads(record.raw, strict=False)
    except ValueError as problem:
        raise InputError("wrong_type", str(problem)) from None
    except RecursionError:
        raise InputError("too_deep", "the record is nested too deeply") from None
    if content_of(record.operation) == EXCHANGE and not isinstance(raw.get("Parameters"), list):
        raise InputError("wrong_type", "Parameters is not a list, as it is in the feed")
    for name in ("RecordType", "UserType"):
        if not isinstance(raw.get(name, 0), int):
            raise InputError("wrong_type", f"{name} is not a number, as it is in the feed")


def bounded_change(change: BypassChange) -> BypassChange:
    """Return the change with trimmed names. Raises InputError when they do not fit into a ledger row."""
    names = {"object_id_text": change.object_id_text.strip(), "identity_text": change.identity_text.strip()}
    if not any(names.values()):
        raise InputError("no_target", "the record names no account")
    if max(map(len, names.values())) > LONGEST_NAME:
        raise InputError("too_large", f"the record's name for the account is longer than {LONGEST_NAME} characters")
    return change.model_copy(update=names)


def bounded_actor(actor: Actor) -> Actor:
    """Return the actor with texts cut to fit into a ledger row."""
    return Actor(**{name: text[:LONGEST_TEXT] if text else text for name, text in actor.model_dump().items()})


def _unreadable(record: AuditRecord, error: InputError, source: str) -> Unreadable:
    return Unreadable(
        reason=error.reason,
        detail=error.detail,
        source=source,
        where=f"record {record.id}",
        excerpt=excerpt(record.raw),
        names_cmdlet=folded(record.operation) == folded(BYPASS_OPERATION),
    )


def _finding(
    change: BypassChange, sensor: Source, now: datetime, available_at: datetime | None, *, first_run: bool
) -> Finding:
    stated = max(change.occurred_at, EARLIEST)
    return Finding(
        id=record_key(change.record_id),
        target=guid_or_none(change.object_id_text) or target_key(change.object_id_text, change.identity_text),
        source=sensor,
        switch=change.switch,
        outcome=change.outcome,
        effective_at=min(stated, now),
        stated_at=stated if stated > now else None,
        object_id_text=change.object_id_text,
        identity_text=change.identity_text,
        actor=change.actor,
        first_run=first_run,
        received_at=now,
        available_at=available_at,
    )


async def _store(found: tuple[Finding, str], services: Services, lookups: Lookups) -> tuple[Finding, bool]:
    """The finding as stored, and whether it is new.

    A copy of a known record that says more is new as well.
    """
    finding, raw = found
    lookups.expect(finding)
    await asyncio.sleep(0)  # start the reads before the storage calls: they take longest
    kept = finding.model_copy(update={"evidence": await services.evidence.keep(raw)})
    if await services.ledger.add_finding(kept):
        return kept, True
    known = await services.ledger.finding(kept.target, kept.id)
    whole = strengthened(known, kept) if known else None
    return (whole, await services.ledger.add_finding(whole)) if whole else (kept, False)

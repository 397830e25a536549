"""Compares a sweep's answer with the baseline: what needs a check, and whether it is complete.

Pure. The answer is read into one slim object for each account, so that memory grows with the accounts that are on, and
not with the tenant.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.errors import InputError
from bypass_responder.model.base import first_problem
from bypass_responder.model.sweep import BaselineEntry, SweepContent, says_rows_are_missing, warning_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bypass_responder.model.sweep import Baseline, BypassedObject, SweepResult

LEAST_PERCENT = 95
"""Least share of the last sweep's objects. With fewer, a fault or a person left some out."""


_HARMLESS = re.compile(r"micro delay applied|has been corrupted|deprecat|will be retired", re.IGNORECASE)
"""Warnings after which the list still holds every row: throttling, an object with invalid properties, old cmdlets."""


@dataclass(frozen=True)
class Comparison:
    """Differences from the baseline, by the keys of its entries."""

    newly_on: dict[str, BypassedObject]
    still_on: dict[str, BypassedObject]
    gone: dict[str, BaselineEntry]
    taken_over: frozenset[str]
    """Those newly on whose Exchange object was on before, and belonged to another account or to none."""


def read_content(data: bytes, result: SweepResult) -> SweepContent:
    """Return the blob that an answer names. Raises InputError (``corrupt_sweep``) when they differ."""
    if hashlib.sha256(data).hexdigest() != result.sha256:
        raise InputError("corrupt_sweep", "the hash of the list does not match the answer")
    try:
        content = SweepContent.model_validate_json(data)
    except ValidationError as error:
        raise InputError("corrupt_sweep", first_problem(error)) from None
    stated = (content.schema_version, content.command_id, content.tenant_id, content.complete)
    counted = (content.scanned, len(content.bypassed))
    reported = (result.schema_version, result.command_id, result.tenant_id, result.complete)
    if stated != reported or counted != (result.scanned, result.bypassed):
        raise InputError("corrupt_sweep", "the list is not the one that the answer describes")
    once = {each.exchange_guid: each for each in content.bypassed}
    if content.started_at != result.started_at:
        raise InputError("corrupt_sweep", "the start of the list does not match the answer")
    if content.scanned < len(once):
        raise InputError("corrupt_sweep", "the list names more objects than were scanned")
    return content.model_copy(update={"bypassed": tuple(once.values())})


def incomplete(content: SweepContent, result: SweepResult, *, accepted: Collection[str] = ()) -> str:
    """Return why the answer is incomplete; empty when it is complete.

    ``accepted``: forms of warnings that a person accepted.
    """
    doubtful = doubtful_warnings(result.warnings, accepted)
    if doubtful or not (content.complete or result.warnings):
        return f"Exchange gave a warning: {'; '.join(doubtful) or 'no text'}"[:500]
    if content.scanned == 0:
        return "no object was scanned"
    return ""


def doubtful_warnings(warnings: Iterable[str], accepted: Collection[str]) -> list[str]:
    """Return the warnings that make a sweep incomplete: they report missing rows, or are not accepted."""
    return [text for text in warnings if not _is_harmless(text, accepted)]


def _is_harmless(warning: str, accepted: Collection[str]) -> bool:
    known = _HARMLESS.search(warning) or warning_form(warning) in accepted
    return bool(known) and not says_rows_are_missing(warning)


def too_few(scanned: int, last_time: int) -> bool:
    """Fewer objects than last time, by more than ordinary days bring."""
    return scanned * 100 < last_time * LEAST_PERCENT


def compare(content: SweepContent, baseline: Baseline | None) -> Comparison:
    """What changed since the baseline; without one, everything is newly on.

    An account is known by its object id, whichever Exchange object it has. A row without one, such as of an account
    that was deleted in Entra, is about the account that its Exchange object had.
    """
    known = baseline.entries if baseline else {}
    owners = {entry.exchange_guid: key for key, entry in known.items()}
    on = {each.object_id or owners.get(each.exchange_guid, each.exchange_guid): each for each in content.bypassed}
    listed = {each.exchange_guid for each in content.bypassed}
    newly_on = {key: each for key, each in on.items() if key not in known}
    return Comparison(
        newly_on=newly_on,
        still_on={key: replace(each, object_id=known[key].object_id) for key, each in on.items() if key in known},
        gone={key: entry for key, entry in known.items() if key not in on and (entry.object_id or key not in listed)},
        taken_over=frozenset(key for key, each in newly_on.items() if each.exchange_guid in owners),
    )

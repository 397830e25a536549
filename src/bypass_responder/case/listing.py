"""The entries of a case in the index, derived from its rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from bypass_responder.case.evidence import OWN
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident
from bypass_responder.model.listing import IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.case import Case
    from bypass_responder.model.change import Actor

RESPONDER = "the responder"
"""In place of the worker's identity, which reads like a stranger's."""
LONGEST_NAME, LONGEST_TEXT = 800, 2_000
"""UTF-16 units of a name and of a text. A table's property holds 32,768, and JSON takes six for some characters."""
MOST_SEARCHED, LONGEST_SEARCHED = 8, 120
"""Names of an account or of the actors by which an entry is found, and characters of one."""
_KINDS: dict[str, Literal["stood_down", "attempt", "switched_off", "unconfirmed"]] = {
    "attempt": "attempt",
    "switched_off": "switched_off",
    "unconfirmed": "unconfirmed",
    "allowlisted": "stood_down",
    "protected": "stood_down",
    "past": "stood_down",
}


def entries(case: Case) -> list[IndexEntry]:
    """Return the entries that are new: incidents that changed, and decided findings without an incident."""
    incidents = [entry for row in case.rows(Incident) if digest_of(entry := entry_of(row)) != row.listed]
    findings = [
        _of_finding(finding, _KINDS[finding.verdict])
        for finding in case.rows(Finding)
        if has_entry(finding) and finding.row_key not in case.kept
    ]
    return [*incidents, *findings]


def has_entry(finding: Finding) -> bool:
    """Return True for a decided finding with a separate entry: one that belongs to no incident."""
    return finding.state is FindingState.DECIDED and finding.incident_id is None and finding.verdict in _KINDS


def digest_of(entry: IndexEntry) -> str:
    """Return status and digests of an entry.

    An incident keeps them to detect that the index is out of date.
    """
    return f"{entry.status}.{_sha256(_names(entry))}.{_sha256(entry.model_dump_json())}"


def listed_statuses(case: Case) -> dict[str, str]:
    """Return the status that the index has of each incident, empty for one that was never listed.

    An incident of which the names have changed is left out: it is to leave the lists of its old names.
    """
    found = {}
    for incident in case.rows(Incident):
        status, _, digests = incident.listed.partition(".")
        if not status or digests.startswith(f"{_sha256(_names(entry_of(incident)))}."):
            found[incident.id] = status
    return found


def _names(entry: IndexEntry) -> str:
    return "\0".join((*entry.accounts, "", *entry.actors))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def entry_of(incident: Incident) -> IndexEntry:
    """Return the entry of an incident."""
    account = incident.account.user_principal_name if incident.account else (incident.names or (incident.target,))[-1]
    return IndexEntry(
        id=incident.id,
        target=incident.target,
        kind="incident",
        status=incident.status.value,
        at=incident.opened_at,
        account=_cut(account, LONGEST_NAME),
        actor=_joined([str(actor) for actor in incident.actors]),
        reason=_cut(f"{incident.verdict}: {incident.reason}", LONGEST_TEXT),
        accounts=_searchable(incident.target, account, *incident.names),
        actors=_searchable(*(name for actor in incident.actors for name in _names_of(actor))),
        acknowledged_by=_cut(incident.acknowledged_by, LONGEST_NAME),
    )


def _of_finding(finding: Finding, kind: Literal["stood_down", "attempt", "switched_off", "unconfirmed"]) -> IndexEntry:
    return IndexEntry(
        id=finding.id,
        target=finding.target,
        kind=kind,
        status="recorded",
        at=finding.received_at,
        account=_cut(finding.identity_text or finding.object_id_text or finding.target, LONGEST_NAME),
        actor=RESPONDER if finding.reason == OWN else _joined([str(finding.actor)]),
        reason=_cut(finding.reason, LONGEST_TEXT),
        accounts=_searchable(finding.target, *finding.names),
        actors=_searchable(*_names_of(finding.actor)),
    )


def _names_of(actor: Actor) -> tuple[str | None, ...]:
    return actor.user_id, actor.object_id, actor.app_id


def _searchable(*names: str | None) -> tuple[str, ...]:
    """Return the distinct names by which an entry is found, in lower case: the first ones, each cut."""
    shown = (name if name.isprintable() else "".join(filter(str.isprintable, name)) for name in names if name)
    plain = (name.strip().casefold()[:LONGEST_SEARCHED] for name in shown)
    return tuple(dict.fromkeys(name for name in plain if name))[:MOST_SEARCHED]


def _joined(names: Sequence[str]) -> str:
    """Return the names as one text: those that fit, and the number of the others."""
    shown = [_cut(name, LONGEST_NAME) for name in names]
    while _units(", ".join(shown)) > LONGEST_TEXT:
        shown.pop()
    more = len(names) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _cut(text: str, longest: int) -> str:
    """Return the text; of one that is too long the beginning, and how many characters were cut."""
    if _units(text) <= longest:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")
    return f"{kept}… ({len(text) - len(kept)} characters cut)"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

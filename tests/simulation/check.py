"""What must hold at the quiet end of a run.

Each problem begins with the name of the rule that it breaks.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import ended
from bypass_responder.model.allowlist import ENTRY_KEY, SeenRow
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.decision_message import Channel, DecisionKind
from bypass_responder.model.feed import Window
from bypass_responder.model.finding import RECORDS, Finding, FindingState, Source
from bypass_responder.model.gathered import Round
from bypass_responder.model.health import Tampering
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from bypass_responder.model.plan_run import PlanRun
from bypass_responder.model.step import CANNOT_SIGN_IN, Effect, Step, StepKind, StepState
from bypass_responder.model.technique import Technique
from bypass_responder.operating.verify_log import verify_log
from tests.case.plans import PINNED
from tests.simulation.people import CHANGES_PER_HOUR
from tests.simulation.run import IDS, Run
from tests.simulation.schedule import BYSTANDER, SERVICE, VICTIMS
from tests.simulation.tenant import TimedLedger
from tests.world import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

OLD_RUNS = timedelta(minutes=20)
"""How long a run may have settings from before a change."""
UNDER_WAY = timedelta(minutes=5)
"""A call that was claimed before may still take effect."""
LATE_DELIVERY = timedelta(hours=3)
"""A receiver that was silent, or refused a notification, has it by then."""
DAILY = {
    *("many_targets", "late_evidence", "still_dark", "tampering", "allowlist_changed", "allowlist_expiring"),
    "step_failed",
}
"""Written once a day, or once for a step that fails each hour.

A run deletes what was delivered sooner than that (``play``), and then it is written again.
"""
EVIDENCE_TAKES = timedelta(hours=26)
"""The first round of an incident is over by then, whatever its sources did."""
LATEST_RECORD = timedelta(hours=4)
"""Hunting has a record by then, one that the feed never has as well."""
REMEMBERED = timedelta(days=7)
"""How long the responder remembers which blobs were read."""
CLOCKS_DIFFER = timedelta(minutes=3)
ACCEPTED = ": accepted by the service"
CHANGES: dict[str, str] = {
    StepKind.BLOCK_SIGN_IN: "disabled",
    StepKind.REVOKE_SESSIONS: "revoked",
    StepKind.RELEASE: "enabled",
}


async def problems_of(run: Run) -> list[str]:
    """Every rule that the run broke."""
    found = [*run.problems]
    exempt = await _exempt(run)
    for target in sorted(await run.stored.ledger.targets()):
        case = await run.stored.ledger.load(target, history=True)
        if target != TENANT_TARGET:
            found += _of_case(case, run)
            found += _of_bypass(case, run, exempt)
    findings = {
        row.id: row
        for target in await run.stored.ledger.targets()
        for row in (await run.stored.ledger.load(target, history=True)).rows(Finding)
    }
    found += _of_records(findings, run)
    decisions = {
        row.id: row
        for target in await run.stored.ledger.targets()
        for row in (await run.stored.ledger.load(target, history=True)).rows(PersonDecision)
    }
    found += _of_decisions(decisions, run)
    found += _of_authors(decisions, findings, run)
    found += await _of_notifications(run)
    found += _of_bystanders(run)
    found += _of_actors(findings, run)
    found += _of_settings(run)
    found += await _of_summaries(run)
    found += await _of_slots(run)
    found += await _of_acceptances(run)
    found += _of_claims(run)
    found += await _of_allowlist(run)
    found += _of_edits(run)
    found += await _of_feed(run)
    found += await _of_evidence(run)
    found += await _of_permissions(run)
    found += _of_access(run)
    found += await _of_plans(run)
    found += [f"chain: {problem}" for problem in (await verify_log(run.stored.ledger, run.stored.checkpoints)).problems]
    if written := await run.idle_writes():
        found.append(f"idle: nothing happened, and a run wrote {', '.join(written[:4])}")
    return found


async def _of_permissions(run: Run) -> list[str]:
    """A permission that was removed soon after its grant is reported, whichever record came first."""
    case = await run.stored.ledger.load(TENANT_TARGET, history=True)
    reported = {row.target for row in case.rows(Tampering) if row.technique is Technique.GRANT_REMOVED}
    given = {IDS[event.account] for event in run.schedule.events if event.kind == "permission"}
    return [f"unseen_grant: the removal of {each} is not reported" for each in sorted(given - reported)]


def _of_access(run: Run) -> list[str]:
    """What a delegate did in the watched mailbox is counted, each record once."""
    opened = sum(record["ActionType"] == "MailItemsAccessed" for _, _, record in run.hunting.table)
    counted = sum(row.count for row in run.world.access.rows.values())
    return [] if counted == opened else [f"miscounted: {opened} times opened, and {counted} counted"]


def _of_case(case: Case, run: Run) -> Iterator[str]:
    account = run.directory.accounts.get(case.target)
    for incident in case.rows(Incident):
        block = case.step(incident.id, StepKind.BLOCK_SIGN_IN)
        stored = [row for row in case.rows(Notification) if row.sent_at]
        sent = [each for each in (*run.world.notifier.sent, *stored) if each.incident_id == incident.id]
        if incident.status is IncidentStatus.OPEN:
            yield f"never_ends: {incident.id} is still open"
        if incident.status in {IncidentStatus.HELD, IncidentStatus.FAILED} and not sent:
            yield f"not_notified: {incident.id} waits for a person, and nobody was notified"
        if account is None or block is None:
            continue
        if incident.status is IncidentStatus.CONTAINED and account.account_enabled:
            yield f"says_contained: {incident.id} is contained, and the account is enabled ({block.detail})"
        ours = [
            change
            for change in run.directory.changes
            if change.account == case.target and change.what in {"disabled", "enabled"}
        ]
        blocked = block.state is StepState.DONE and block.effect in CANNOT_SIGN_IN and not ended(case, incident)
        if account.account_enabled and blocked:
            yield f"says_blocked: {incident.id} has a finished block, and the account is enabled"
        if (
            block.state is StepState.HELD
            and incident.account is not None
            and not account.account_enabled
            and ours
            and ours[-1].by == "responder"
            and ours[-1].at > incident.opened_at
        ):
            yield f"says_held: the block of {incident.id} is held, and we have disabled the account"
        disabled = [change for change in ours if change.what == "disabled"]
        needless = block.effect is Effect.NOT_NEEDED and block.detail.endswith("already")
        if needless and disabled and all(change.by == "responder" for change in disabled):
            yield f"says_not_needed: {incident.id} needed no block, and we had disabled the account"
    yield from _of_withheld(case)
    yield from _of_release(case, run)
    yield from _of_later_wants(case, run)
    yield from _of_past(case, run)


async def _of_plans(run: Run) -> list[str]:
    """Each run of a plan has ended, within its hourly limit, and an undo restored every mailbox."""
    mailboxes = run.mailboxes
    if mailboxes is None or not mailboxes.asked:
        return []
    case = (await run.stored.ledger.load(TENANT_TARGET, history=True)).rows(PlanRun)
    runs = sorted(case, key=lambda row: row.started_at)
    found = [f"plan_never_ends: {row.id} is {row.progress}" for row in runs if row.running]
    times = [at for at, _ in mailboxes.changed]
    wrong_clocks = any(event.kind == "skew" for event in run.schedule.events)
    hour = timedelta(hours=1) - (CLOCKS_DIFFER if wrong_clocks else timedelta())
    if any(sum(at <= other < at + hour for other in times) > CHANGES_PER_HOUR for at in times):
        found.append("plan_limit: more mailboxes were changed within an hour than the limit")
    others = [key for key, settings in mailboxes.now.items() if settings != PINNED]
    if runs and runs[-1].undoes and runs[-1].state == "done" and others:
        found.append(f"plan_undone: {', '.join(others)} are not as they were before the plan")
    for row in runs[:1]:
        known = {each.object_id for each in await run.stored.plans.changes(row.id, limit=99) if each.may_have_changed}
        lost = {command.object_id for _, command in mailboxes.changed if command.change} - known
        if lost and len(runs) == 1:
            found.append(f"plan_undo_file: {', '.join(sorted(lost))} were changed and are not in the undo file")
    return found


def _of_withheld(case: Case) -> Iterator[str]:
    """The mode is enforce at the end: what was withheld waits for a person."""
    for step in case.rows(Step):
        if step.state is StepState.WITHHELD and step.step is not StepKind.RELEASE:
            yield f"withheld: {step.step} of {step.incident_id} is withheld, and MODE is enforce"


async def _exempt(run: Run) -> set[str]:
    """The accounts whose bypass began after their allowlist entry was written."""
    found = set()
    async for entry in run.stored.allowlist.entries():
        changes = [each for each in run.exchange.changes if each.account == entry.object_id]
        since_off = list(itertools.takewhile(lambda each: each.what == "on", reversed(changes)))
        if since_off and run.edited_at[entry.object_id] <= since_off[-1].at:
            found.add(entry.object_id)
    return found


def _of_bypass(case: Case, run: Run, exempt: set[str]) -> Iterator[str]:
    """A bypass that is on waits for a person, or is exempt."""
    if not run.exchange.bypassed.get(case.target) or case.target not in run.directory.accounts:
        return
    waiting = {IncidentStatus.HELD, IncidentStatus.FAILED, IncidentStatus.OBSERVED, IncidentStatus.DISMISSED}
    dismissed = {row.incident_id for row in _carried_out(case) if row.verb is DecisionKind.DISMISS}
    waits = [
        incident for incident in case.rows(Incident) if incident.status in waiting or incident.id in dismissed
    ]  # a dismissed incident may have been released since
    allowed = case.target in exempt or any(finding.verdict == "allowlisted" for finding in case.rows(Finding))
    if not waits and not allowed:
        yield f"bypass_on: {_name(case.target)} is bypassed, and nobody has to decide about it"


def _of_release(case: Case, run: Run) -> Iterator[str]:
    """An account is enabled only if a person released it, and a later incident contains it again."""
    released = [row.at for row in _carried_out(case) if row.verb is DecisionKind.RELEASE]
    enabled = [
        change
        for change in run.directory.changes
        if change.account == case.target and change.by == "responder" and change.what == "enabled"
    ]
    if enabled and not released:
        yield f"enabled: {_name(case.target)} was enabled, and nobody released it"
    blocks = _blocks(case.target, run)
    if enabled and blocks and blocks[-1] > enabled[-1].at:
        changes = [each for each in run.exchange.changes if each.account == case.target]
        known = min([blocks[0], *(row.restored_at for row in case.rows(Incident) if row.restored_at)])
        acts = run.exchange.changes if run.actors_contained else changes
        news = any(each.what == "on" and each.at > known for each in acts)
        still_on = [each.what for each in changes if each.at < enabled[-1].at][-1:] == ["on"]
        if not news and not still_on:
            yield f"blocked_again: {_name(case.target)} was blocked again after its release, for nothing new"
    later = [
        incident
        for incident in case.rows(Incident)
        if released and incident.opened_at > max(released) and incident.status is IncidentStatus.CONTAINED
    ]
    account = run.directory.accounts.get(case.target)
    if (
        later
        and account
        and account.account_enabled
        and not any("again" in row.title for row in case.rows(Notification))
    ):
        yield f"released_later: {later[-1].id} came after the release, and the account is enabled"


def _of_later_wants(case: Case, run: Run) -> Iterator[str]:
    """No release goes on once a newer violation wants the account blocked."""
    released = sorted(row.at for row in _carried_out(case) if row.verb is DecisionKind.RELEASE)
    for change in run.directory.changes:
        if (change.account, change.by, change.what) != (case.target, "responder", "enabled"):
            continue
        decided = [at for at in released if at <= change.at + CLOCKS_DIFFER]
        for incident in case.rows(Incident):
            newer = bool(decided) and decided[-1] < incident.opened_at < change.at - UNDER_WAY
            ended = incident.closed_at is not None and incident.closed_at <= change.at
            if newer and not ended and incident.verdict == "violation":
                yield f"enabled_under: {_name(case.target)} was enabled, and {incident.id} wanted it blocked"


def _carried_out(case: Case) -> list[PersonDecision]:
    return [row for row in case.rows(PersonDecision) if row.outcome == "carried_out"]


def _of_decisions(rows: dict[str, PersonDecision], run: Run) -> Iterator[str]:
    """A delivered decision has an outcome, whatever failed; one that has ended is never carried out."""
    for message_id, message in run.delivered.items():
        if message_id not in rows:
            yield f"unanswered: the {message.kind.value} {message_id} was delivered, and has no outcome"
    for row in rows.values():
        sent = run.delivered.get(row.id)
        if sent is None:
            yield f"forged: the {row.verb.value} {row.id} was never sent"
        elif row.outcome == "carried_out" and row.at > sent.not_after + CLOCKS_DIFFER:
            yield f"too_late: the {row.verb.value} {row.id} was carried out after its end"


def _of_authors(decisions: dict[str, PersonDecision], findings: dict[str, Finding], run: Run) -> Iterator[str]:
    """No decision is carried out about its author's own account or act, or through the wrong queue.

    The wrong queue is that of another tool.
    """
    actors = {key: finding.actor.user_id for key, finding in findings.items()}
    for row in decisions.values():
        sent = run.delivered.get(row.id)
        if sent is None or row.outcome != "carried_out":
            continue
        came_by = run.channels[row.id]
        if (sent.tool or Channel.BYPASSCTL, row.channel) != (came_by, came_by):
            yield f"wrong_queue: the {row.verb.value} {row.id} came through the queue of {came_by.value}"
        about = {sent.target, *(each.object_id for each in (sent.edit.rows if sent.edit else ()))}
        if sent.author.object_id in about or sent.author.name in {actors.get(each) for each in sent.shown.findings}:
            yield f"own_decision: {sent.author.name} decided {row.verb.value} {row.id}, which is about themselves"


async def _of_notifications(run: Run) -> list[str]:
    """Every notification is delivered to every receiver, twice only if its delivery was interrupted."""
    cases = [await run.stored.ledger.load(target, history=True) for target in sorted(await run.stored.ledger.targets())]
    problems = [
        f"undelivered: {note.about} of {_name(case.target)} waits since {note.created_at}"
        for case in cases
        for note in case.rows(Notification)
        if note.sent_at is None and note.created_at < run.now() - LATE_DELIVERY
    ]
    for receiver in (run.world.notifier, run.pager):
        seen: set[tuple[str, datetime | None]] = set()
        again = 0
        for message in receiver.messages:
            notes = {(note.id, note.created_at if note.about in DAILY else None) for note in message}
            again += bool(notes & seen)
            seen |= notes
        if again and not run.interrupted:
            problems.append(f"delivered_twice: {again} messages repeat a notification, and nothing was interrupted")
    return problems


def _blocks(account: str, run: Run) -> list[datetime]:
    """When the responder disabled the account."""
    ours = [each for each in run.directory.changes if each.account == account and each.by == "responder"]
    return [each.at for each in ours if each.what == "disabled"]


def _of_a_known_actor(case: Case, finding: Finding) -> bool:
    """True for an *on* within a dismissed incident's interval, by an actor whom the person was shown."""
    incident = case.incident(finding.incident_id)
    if incident is None or incident.known is None or incident.closed_at is None or incident.restored_at is not None:
        return False
    return str(finding.actor) in incident.known.actors and finding.effective_at <= incident.closed_at


def _of_past(case: Case, run: Run) -> Iterator[str]:
    """An *on* that no person saw and that came after every proven end is decided."""
    restored = [case.head.restored_at, *(incident.restored_at for incident in case.rows(Incident))]
    ends = [end for end in restored if end]
    seen = {key for shown in run.shown.values() for key in shown}
    for finding in case.rows(Finding):
        past_on = finding.verdict == "past" and finding.source in RECORDS and finding.switch is Switch.ON
        unseen = finding.outcome is Outcome.SUCCESS and finding.row_key not in seen
        excused = any(finding.effective_at <= end for end in ends) or _of_a_known_actor(case, finding)
        if past_on and unseen and not excused:
            yield f"swallowed: {finding.id} was put into the past, and nobody had seen it"


def _of_records(findings: dict[str, Finding], run: Run) -> Iterator[str]:
    for record_id, (account, at) in run.records.items():
        found = findings.get(record_id)
        if found is None and at < run.now() - LATEST_RECORD:
            yield f"lost: the record {record_id} about {_name(account)} is no finding"
    for finding in findings.values():
        if finding.state is not FindingState.DECIDED:
            yield f"undecided: {finding.id} about {_name(finding.target)} is {finding.state.value}"


def _of_bystanders(run: Run) -> Iterator[str]:
    ever_on = {change.account for change in run.exchange.changes if change.what == "on"}
    touched = {change.account for change in run.directory.changes if change.by == "responder"}
    actors = {IDS[name] for name in VICTIMS} if run.actors_contained else set[str]()
    for account in touched - ever_on - actors:
        yield f"touched: {_name(account)} was never bypassed, and was changed"
    assert IDS[BYSTANDER] not in ever_on


def _of_actors(findings: dict[str, Finding], run: Run) -> Iterator[str]:
    """If actors are to be contained, the actor of a violation has an incident or is protected."""
    acts = [row for row in findings.values() if row.source is Source.ACTOR]
    decided = {row.target for row in acts if row.incident_id or row.verdict == "protected"}
    for finding in findings.values():
        actor = finding.actor.object_id
        counts = finding.verdict in {"violation", "limit_reached"}
        if run.actors_contained and counts and actor is not None and actor not in decided:
            yield f"actor_free: nothing was decided about {_name(actor)}, the actor of {finding.id}"


def _of_settings(run: Run) -> Iterator[str]:
    """Nothing is changed in observe, and no protected account is blocked.

    Runs that began before the setting took effect are excepted.
    """
    for change in run.directory.changes:
        if change.by != "responder":
            continue
        earlier = [{}, *(given for at, given in run.deployed if at < change.at - OLD_RUNS)]
        recent = [given for at, given in run.deployed if change.at - OLD_RUNS <= at <= change.at]
        in_force = [earlier[-1], *recent]
        if all(given.get("mode") == "observe" for given in in_force):
            yield f"acted_in_observe: {_name(change.account)} was {change.what}"
        protected = all(given.get("protected_object_ids") == change.account for given in in_force)
        if protected and change.what == "disabled":
            yield f"blocked_protected: {_name(change.account)} was blocked"


async def _of_summaries(run: Run) -> list[str]:
    """A change of the mode is notified once; one that no run saw, never."""
    rows = (await run.stored.ledger.load(TENANT_TARGET)).rows(Notification)
    summaries = [row for row in rows if row.about == "mode_changed"]
    modes = ["enforce", *(given.get("mode", "enforce") for _, given in run.deployed)]
    flips = sum(before != after for before, after in itertools.pairwise(modes))
    skewed = any(event.kind == "skew" for event in run.schedule.events)
    return (
        [f"summaries: {len(summaries)} notifications of {flips} changes"]
        if len(summaries) > flips and not skewed
        else []
    )


async def _of_slots(run: Run) -> list[str]:
    """Every block has a slot of its hour, or a person approved it."""
    problems = []
    for change in run.directory.changes:
        if change.by != "responder" or change.what != "disabled":
            continue
        steps = (await run.stored.ledger.load(change.account, history=True)).rows(Step)
        approved = any(step.step is StepKind.BLOCK_SIGN_IN and step.approved_by for step in steps)
        hour = timedelta(hours=1, minutes=10)  # a claim may be retried, and a clock be wrong
        has_one = any(key == change.account and abs(change.at - at) <= hour for at, key in run.slots)
        if not approved and not has_one:
            problems.append(f"slot: {_name(change.account)} was blocked without a slot")
    return problems


async def _of_acceptances(run: Run) -> list[str]:
    """A call that the log records as accepted was begun after its claim.

    The result of an older call does not count.
    """
    if not isinstance(run.stored.ledger, TimedLedger):
        return []
    problems = []
    for target in sorted(await run.stored.ledger.targets()):
        claimed: dict[tuple[str | None, str], datetime] = {}
        async for entry in run.stored.ledger.log(target):
            stored_at = run.stored.ledger.stored_at[target, entry.seq]
            if entry.event == "claimed":
                kinds = (each.split(" ")[0] for each in entry.text.split(", "))
                claimed |= {(entry.incident_id, kind): stored_at for kind in kinds}
            kind = entry.text.removesuffix(ACCEPTED)
            if entry.event != "acted" or kind == entry.text or kind not in CHANGES:
                continue
            made = [each for each in run.calls if (each.account, each.what) == (target, CHANGES[kind])]
            since = claimed.get((entry.incident_id, kind))
            if since and not any(since <= each.began and each.ended <= stored_at for each in made):
                problems.append(f"accepted: {kind} of {entry.incident_id} was accepted before it was called")
    return problems


def _of_claims(run: Run) -> Iterator[str]:
    """No call is claimed while the claim of an earlier one is in force."""
    if isinstance(run.stored.ledger, TimedLedger):
        for target, kind in run.stored.ledger.overtaken:
            yield f"claimed_twice: {kind} of {_name(target)} was claimed while it was under way"


async def _of_allowlist(run: Run) -> list[str]:
    """Every row is recorded as it is, each change once, and an exempt account had an entry at the time."""
    rows = {entry.object_id: entry async for entry in run.stored.allowlist.entries()}
    problems = []
    for target in sorted({*await run.stored.ledger.targets(), *rows} - {TENANT_TARGET}):
        case = await run.stored.ledger.load(target, history=True)
        seen, row = case.row(SeenRow, ENTRY_KEY), rows.get(target)
        if (seen.etag if seen and seen.compared and seen.gone_at is None else None) != (row.etag if row else None):
            problems.append(f"unseen: the allowlist row of {_name(target)} is not as the last run recorded it")
        log = [entry async for entry in run.stored.ledger.log(target)]
        recorded = [entry.at for entry in log if entry.event == "allowlist_changed"]
        changes = [(at, etag) for at, account, etag in run.world.allowlist.changes if account == target]
        if changes and len(recorded) > len(changes) + (target == IDS[SERVICE]):
            problems.append(f"unseen: {len(changes)} changes of {_name(target)} were recorded {len(recorded)} times")
        if not any(event.kind == "skew" for event in run.schedule.events):
            compared_at = run.snapshot.compared_at.get(target)
            problems += _of_exemptions(case, compared_at if recorded else None, changes)
    return problems


def _of_edits(run: Run) -> Iterator[str]:
    """An entry that is edited and stays in force keeps its account exempt, whatever arrives later."""
    kinds = {event.kind for event in run.schedule.events}
    interrupted = any(e.account == SERVICE and e.kind in {"allow", "disallow"} for e in run.schedule.events)
    if "service_edits" not in kinds or "skew" in kinds or interrupted:
        return
    ours = [each for each in run.directory.changes if each.account == IDS[SERVICE] and each.by == "responder"]
    off = [each for each in run.exchange.changes if each.account == IDS[SERVICE] and each.by == "worker"]
    if ours or off:
        yield f"edited: {SERVICE} was changed, and its allowlist entry was in force all the time"


def _of_exemptions(case: Case, compared_at: datetime | None, changes: list[tuple[datetime, str]]) -> Iterator[str]:
    """An account that was exempt had an entry when the bypass began.

    An edit of an entry that a comparison has recorded takes no exemption away. Between the read for a decision and the
    first comparison, the entry may have been removed and added again.
    """
    added = START - OLD_RUNS if case.target == IDS[SERVICE] else min((at for at, etag in changes if etag), default=None)
    ends = changes[1][0] if len(changes) > 1 else None
    stays = compared_at is not None and all(etag for _, etag in changes) and (ends is None or compared_at < ends)
    for finding in case.rows(Finding):
        early = added is None or finding.effective_at < added
        if finding.verdict == "allowlisted" and changes and early:
            yield f"exempted: {finding.id} was exempted by an entry that came later"
        known = compared_at is not None and stays and compared_at < finding.received_at - CLOCKS_DIFFER
        lost = finding.verdict == "allowlist_unclear" and finding.source in RECORDS
        if known and lost and not early and finding.effective_at > (added or START):
            yield f"not_exempted: {finding.id} lost its exemption to an edit of the entry"


async def _of_evidence(run: Run) -> list[str]:
    """Each incident's questions are answered, without subjects; whatever failed, nothing stays open."""
    gathered = run.stored.gathered
    problems = []
    for target in sorted(await run.stored.ledger.targets()):
        for incident in (await run.stored.ledger.load(target, history=True)).rows(Incident):
            questions = await gathered.inquiries(incident.id)
            left = [each.key for each in questions if each.answer is None and each.round is Round.OPENED]
            if left and incident.opened_at < run.now() - EVIDENCE_TAKES:
                problems.append(f"evidence_open: {incident.id} has no answer from {left[0]}")
            if not questions and incident.opened_at < run.now() - EVIDENCE_TAKES:
                problems.append(f"evidence_lost: nothing was asked about {incident.id}")
    if any("secret" in repr(each) for each in (run.world.gathered.rows, run.world.gathered.blobs)):
        problems.append("evidence_secret: a subject was stored")
    return problems


async def _of_feed(run: Run) -> list[str]:
    store = run.stored.feed_store
    known = await store.blobs_read(Window(start=START - timedelta(days=8), end=START + timedelta(days=365)))
    known |= {gap.content_id for gap in await store.gaps()} | {each.blob.content_id for each in await store.pending()}
    cursor = await store.cursor()
    return [
        f"cursor: {content_id} lies behind the cursor, and was not read"
        for content_id, created in run.listed().items()
        if cursor
        and content_id not in known
        and run.now() - REMEMBERED < created < cursor.listed_through - timedelta(minutes=1)
        and not any(window.start <= created < window.end for window in cursor.backlog)
    ]


def _name(target: str) -> str:
    return next((name for name, object_id in IDS.items() if object_id == target), target)

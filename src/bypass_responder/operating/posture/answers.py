"""What bypassctl, the pages and the API answer about the mailboxes, from what the worker last read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError, NotFoundError, PermissionMissingError, TransientError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import Utc, Value, counted
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import Tampering
from bypass_responder.operating.posture.listed import LineFilter, listed
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.operating.posture.plan_runs import planned_settings
from bypass_responder.operating.posture.report import Exemption, PostureReport
from bypass_responder.posture.authors import PlannedSettings
from bypass_responder.posture.baseline import Measures, measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.mailbox import MailboxReader
from bypass_responder.posture.packed import mailboxes_by_id
from bypass_responder.posture.read import Mailboxes, TenantRead, read_line
from bypass_responder.posture.stored import Overview, PostureRead, complete_at
from bypass_responder.posture.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.exchange_read import Recipients
    from bypass_responder.services import Services

TREND = 30
"""Reads in a trend."""
MOST_ASKED, MOST_NAMED = 50, 3
"""Mailboxes of the read before that are not there: whose account is looked up, and which of these are named."""
MOST_RECORDS = 1000
"""Of changes between two reads, the newest."""
NO_READ = (
    "No read of the mailboxes is stored yet. To start one: bypassctl posture read. "
    "Offline: bypassctl posture compare FILE."
)


class PosturePage(Value):
    """The posture as a page shows it; ``overview`` is None before the first read was compared."""

    read_at: Utc
    """When this was answered."""
    overview: Overview | None
    trend: tuple[Summary, ...]
    """The reads before, the newest first."""
    filter: LineFilter
    """Of the mailboxes that are listed; numbers and issues are those of all."""
    unfiltered: int
    """How many mailboxes are listed without the filter."""


async def read_page(services: Services, wanted: LineFilter) -> PosturePage:
    """Return the last overview and the trend, from tables alone.

    Raises InputError for a filter that names nothing.
    """
    overviews = [read.overview for read in await services.posture.newest(TREND) if read.overview]
    if overviews:
        wanted.require_known(overviews[0].summary.by_type)
    return PosturePage(
        read_at=services.clock(),
        overview=listed(overviews[0], wanted) if overviews else None,
        trend=tuple(each.summary for each in overviews[1:]),
        filter=wanted,
        unfiltered=len(overviews[0].mailboxes) if overviews else 0,
    )


async def read_report(services: Services, chosen: Measures, wanted: RowFilter) -> PostureReport:
    """Return the report of the last read, compared with the one before.

    Raises NotFoundError without a read.
    """
    reads = await services.posture.newest(TREND)
    if not reads:
        raise NotFoundError(NO_READ)
    return await _report(reads, services, chosen, wanted)


async def keep_read(read: PostureRead, services: Services) -> PostureReport:
    """Compare a read that has ended, and store it with its overview. Returns the report."""
    earlier = [each for each in await services.posture.newest(TREND) if each.id != read.id]
    made = await _report([read, *earlier], services, measures(), RowFilter())
    if missed := await _missed(made.found.gone, services):
        read = read.model_copy(update={"problems": (*read.problems, *missed)})
        made = replace(made, found=replace(made.found, problems=(*made.found.problems, *missed)))
    read = read.model_copy(update={"overview": overview_of(made)})
    read = read.model_copy(update={"complete_at": complete_at(read, earlier)})
    try:
        await services.posture.keep(read)
    except InputError:  # too large: the numbers are kept, without the mailboxes one by one
        await services.posture.keep(read.model_copy(update={"overview": overview_of(made, most=0)}))
    return made


async def _missed(gone: Sequence[str], services: Services) -> list[str]:
    """Return the problem that mailboxes of the read before were not found, though their accounts exist.

    One that changes its type between two parts is in neither. The next read has it.
    """
    there = [each for each in gone[:MOST_ASKED] if await _may_exist(each, services)]
    more = len(gone) - MOST_ASKED
    found = []
    if there:
        were = counted(len(there), "mailbox of the read before was", "mailboxes of the read before were")
        named = ", ".join(there[:MOST_NAMED])
        found.append(f"{were} not found, though the account exists, so its type may have changed meanwhile: {named}")
    if more > 0:
        were = counted(more, "mailbox more of the read before was", "mailboxes more of the read before were")
        found.append(f"{were} not found, and their accounts were not looked up")
    return found


async def _may_exist(object_id: str, services: Services) -> bool:
    try:
        return await services.directory.find(object_id) is not None
    except (TransientError, PermissionMissingError):
        return True


async def _report(reads: list[PostureRead], services: Services, chosen: Measures, wanted: RowFilter) -> PostureReport:
    reader = MailboxReader()
    before = await _before(reads[1:], reads[0].comparable_types(), services, reader)
    read = await _load(reads[0], services, reader)
    found = compare(
        read,
        chosen,
        watched=services.settings.watched_mailboxes,
        before=before,
        records=await _records(before, read, services),
        planned=await _planned(before, read, services),
    )
    trend = [each.overview.summary for each in reads[1:] if each.overview]
    return PostureReport(found, services.clock(), wanted, trend, await _exemptions(services))


async def _records(before: Before | None, read: TenantRead, services: Services) -> list[Tampering]:
    """Return what records say of changes since the read before. A record may arrive hours after the read."""
    if before is None or before.read_at is None:
        return []
    until = read.read_at or services.clock()
    case = await services.ledger.tampering(TENANT_TARGET, since=before.read_at, until=until, limit=MOST_RECORDS)
    return case.rows(Tampering)


async def _planned(before: Before | None, read: TenantRead, services: Services) -> dict[str, PlannedSettings]:
    """Return what plans, and undos of plans, set since the read before."""
    if before is None or before.read_at is None:
        return {}
    return await planned_settings(before.read_at, read.read_at or services.clock(), services)


async def _before(
    reads: Sequence[PostureRead], types: frozenset[Recipients], services: Services, reader: MailboxReader
) -> Before | None:
    """Return earlier settings: for each type, those of the last read that read it completely.

    With an earlier end, everything that is lacking would be new.
    """
    used: list[tuple[PostureRead, TenantRead, frozenset[Recipients]]] = []
    for each in reads:
        wanted = (types & each.comparable_types()).difference(*(taken for _, _, taken in used))
        if wanted:
            read = await _load(each, services, reader, wanted)
            if not read.problems:
                used.append((each, read, wanted))
    if not used:
        return None
    return Before(
        min(each.read_at for each, _, _ in used),
        _joined([read.mailboxes for _, read, _ in used]),
        frozenset().union(*(taken & each.whole_types() for each, _, taken in used)),
    )


def _joined(mailboxes: Sequence[Mailboxes]) -> Mailboxes:
    """Return the mailboxes of several reads, given the newest first.

    For one that is in several, the newest counts.
    """
    if len(mailboxes) == 1:
        return mailboxes[0]
    joined = mailboxes_by_id()
    for each in reversed(mailboxes):
        joined.extend(each)
    return joined


async def _load(
    read: PostureRead, services: Services, reader: MailboxReader, types: frozenset[Recipients] | None = None
) -> TenantRead:
    """Return what the worker wrote, or the mailboxes of some types.

    A part that is gone, or another, is a problem.
    """
    problems = [*read.problems] if types is None else []
    into = TenantRead(
        "the worker", read.read_at, mailboxes_by_id(), None, read.organization, read.whole_types(), problems
    )
    into.bypassed = [] if read.bypassed_read else None
    for number, result in enumerate(read.results):
        if types is not None and read.recipients and read.recipients[number] not in types:
            continue
        try:
            async for line in services.reads.lines(result):
                read_line(line, into, reader)
        except (InputError, NotFoundError) as error:
            into.problem(f"a part is not readable: {error}")
    return into


async def _exemptions(services: Services) -> dict[str, Exemption]:
    return {
        row.object_id: Exemption(row.ticket, row.expires_at)
        async for row in services.allowlist.entries()
        if isinstance(row, AllowlistEntry)
    }

"""What bypassctl, the pages and the API answer about the mailboxes, from what the worker last read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import Tampering
from bypass_responder.operating.posture.listed import LineFilter, listed
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.operating.posture.report import Exemption, PostureReport
from bypass_responder.posture.baseline import Measures, measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.mailbox import MailboxReader
from bypass_responder.posture.packed import mailboxes_by_id
from bypass_responder.posture.read import TenantRead, read_line
from bypass_responder.posture.stored import Overview, PostureRead
from bypass_responder.posture.summary import Summary

if TYPE_CHECKING:
    from bypass_responder.services import Services

TREND = 30
"""Reads in a trend."""
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
    """Return the last overview and the trend, from tables alone."""
    overviews = [read.overview for read in await services.posture.newest(TREND) if read.overview]
    return PosturePage(
        read_at=services.clock(),
        overview=listed(overviews[0], wanted) if overviews else None,
        trend=tuple(each.summary for each in overviews[1:]),
        filter=wanted,
        unfiltered=len(overviews[0].mailboxes) if overviews else 0,
    )


async def read_report(services: Services, chosen: Measures, wanted: RowFilter) -> PostureReport:
    """Return the report of the last read, compared with the one before. Raises NotFoundError without a read."""
    reads = await services.posture.newest(TREND)
    if not reads:
        raise NotFoundError(NO_READ)
    return await _report(reads, services, chosen, wanted)


async def keep_read(read: PostureRead, services: Services) -> PostureReport:
    """Compare a read that has ended, and store it with its overview. Returns the report."""
    earlier = [each for each in await services.posture.newest(TREND) if each.id != read.id]
    made = await _report([read, *earlier], services, measures(), RowFilter())
    await services.posture.keep(read.model_copy(update={"overview": overview_of(made)}))
    return made


async def _report(reads: list[PostureRead], services: Services, chosen: Measures, wanted: RowFilter) -> PostureReport:
    reader = MailboxReader()
    before = await _before(reads[1:], services, reader)
    read = await _load(reads[0], services, reader)
    found = compare(
        read,
        chosen,
        watched=services.settings.watched_mailboxes,
        before=before,
        records=await _records(before, read, services),
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


async def _before(reads: list[PostureRead], services: Services, reader: MailboxReader) -> Before | None:
    """Return the settings of the last complete read before. With a partial one, everything it lacks would be new."""
    for each in reads:
        if not each.problems:
            read = await _load(each, services, reader)
            if not read.problems:
                return Before(each.read_at, read.mailboxes)
    return None


async def _load(read: PostureRead, services: Services, reader: MailboxReader) -> TenantRead:
    """Return what the worker wrote. A part that is gone, or is another one, makes it partial."""
    into = TenantRead("the worker", read.read_at, mailboxes_by_id(), None, read.organization, [*read.problems])
    into.bypassed = [] if read.bypassed_read else None
    for result in read.results:
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

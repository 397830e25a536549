"""Without hunting: one audit log query for each watched mailbox, about a few days.

The service works on a query for a while. What is open is kept between the runs, so that an interruption repeats at most
one mailbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from bypass_responder.errors import InputError, NotFoundError, RefusedError, ResponderError
from bypass_responder.model.mailbox_access import AccessDay, AccessSearch, midnight
from bypass_responder.model.question import AskedAccount, Empty, Found, Pending, Question, Role, Unavailable
from bypass_responder.sensing.access.days import EVERY
from bypass_responder.sensing.access.records import accesses_of
from bypass_responder.triggers.keep_mailbox_access import keep_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from bypass_responder.ports import EvidenceSource
    from bypass_responder.services import Services
    from bypass_responder.triggers.keep_mailbox_access import Mailboxes

MOST_MAILBOXES = 20
"""Of one search; the others follow. A tenant has some 200 queries a day, which evidence needs as well."""
SOURCE = "audit log"


class Advanced(NamedTuple):
    """The search after a run, and what ended the run early."""

    search: AccessSearch
    error: ResponderError | None = None


def begin_search(
    due: Sequence[date], days: Mapping[date, AccessDay], mailboxes: Mailboxes, now: datetime
) -> AccessSearch:
    """Return a search about the days that are due, of the mailboxes that lack one of them, or of all."""
    names = {name: upn for upn, name in mailboxes.names.items()}
    lacking = [name for name in names if any(day not in days or name not in days[day].mailboxes for day in due)]
    chosen = (lacking or [*names])[:MOST_MAILBOXES]
    return AccessSearch(asked_at=now, first=due[0], last=due[-1], open={names[name]: "" for name in chosen})


async def advance_search(
    search: AccessSearch,
    source: EvidenceSource,
    days: dict[date, AccessDay],
    mailboxes: Mailboxes,
    services: Services,
) -> Advanced:
    """Submit new searches and store answers, until an error that concerns more than one mailbox."""
    for upn, memo in search.open.items():
        if upn not in mailboxes.names:
            search = search.without(upn)
            continue
        try:
            answer = await source.ask(_question(search, upn, mailboxes.object_ids[upn]), memo or None)
        except (RefusedError, NotFoundError, InputError) as refused:
            search = search.without(upn, failed=str(refused))
            continue
        except ResponderError as error:
            return Advanced(search, error)
        match answer:
            case Pending():
                search = search.going_on(upn, answer.memo)
            case Unavailable():
                search = search.without(upn, failed=answer.reason)
            case Found() | Empty():
                await _keep(search, upn, answer, days, mailboxes, services)
                search = search.without(upn)
            case _:
                assert_never(answer)
    return Advanced(search)


def _question(search: AccessSearch, upn: str, object_id: str) -> Question:
    start, end = midnight(search.first), min(midnight(search.last) + EVERY, search.asked_at)
    return Question(
        incident_id="watch",
        source="mailbox_access",
        account=AskedAccount(object_id=object_id or None, user_principal_name=upn),
        role=Role.TARGET,
        start=start,
        end=end,
        dark_from=start,
        dark_until=end,
        known_from=start,
    )


async def _keep(
    search: AccessSearch,
    upn: str,
    answer: Found | Empty,
    days: dict[date, AccessDay],
    mailboxes: Mailboxes,
    services: Services,
) -> None:
    """Store each day of a mailbox that was searched."""
    records = answer.raw if isinstance(answer, Found) else ()
    rows, unreadable = accesses_of(records, upn, mailboxes.object_ids[upn])
    name, read_at = mailboxes.names[upn], search.asked_at
    cut = isinstance(answer, Found) and not answer.complete
    for day in search.days:
        known = days.get(day) or AccessDay(day=day, read_at=read_at, source=SOURCE, mailboxes=())
        changes: dict[str, object] = {
            "read_at": read_at,
            "source": SOURCE,
            "mailboxes": tuple(sorted({*known.mailboxes, name})),
            "silent": False,
            "incomplete": tuple(sorted({*known.incomplete, name} if cut else {*known.incomplete} - {name})),
            "unreadable": unreadable if day == search.first else known.unreadable,
        }
        of_day = [row for row in rows if row.day == day]
        await keep_day(known.model_copy(update=changes), of_day, days, mailboxes, services)

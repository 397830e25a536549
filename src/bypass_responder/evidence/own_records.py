"""What the responder itself has about an actor: accounts that they hid or tried to hide.

It also shows whether the actor is authorized. These sources read the index, one case and one allowlist row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bypass_responder.evidence.audit_fields import quoted_text
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.listing import IndexFilter
from bypass_responder.model.question import Empty, Found, Item, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bypass_responder.model.listing import IndexEntry
    from bypass_responder.model.question import Answer, AskedAccount, Question
    from bypass_responder.ports import Allowlist, Index, Ledger
    from bypass_responder.settings import Settings

MOST_ENTRIES = 200
_SEARCHED = 2_000
"""Characters of a text that are searched for a ticket."""
_NO_TICKET = Item(what="change ticket", notable="no change ticket is named")
_SHOWN = {
    "incident": "mailbox audit bypass",
    "attempt": "failed attempt",
    "stood_down": "allowed bypass",
    "switched_off": "bypass switched off",
    "unconfirmed": "unconfirmed alert",
}


class OtherChanges:
    """The incidents and findings of the index that name the actor."""

    def __init__(self, index: Index) -> None:
        """Take the index."""
        self._index = index

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Read the newest entries of the actor, without the incident that is asked about."""
        del memo
        page = await self._index.page(IndexFilter(actor=str(question.account)), limit=MOST_ENTRIES)
        others = [entry for entry in page.entries if entry.id != question.incident_id]
        if not others:
            return Empty()
        return Found(
            count=len(others),
            items=tuple(map(_of_entry, others)),
            complete=page.next is None,
            raw=tuple(entry.model_dump(mode="json") for entry in others),
        )


def _of_entry(entry: IndexEntry) -> Item:
    account = quoted_text(entry.account)
    notable = {"incident": f"hid {account} too", "attempt": f"tried to hide {account}"}.get(entry.kind)
    detail = {"account": entry.account, "entry": entry.id, "status": entry.status, "reason": entry.reason}
    return Item(at=entry.at, what=_SHOWN[entry.kind], detail=detail, notable=notable)


class Authorization:
    """Whether the actor is in AUTHORIZED_ACTORS, and which change tickets are named for the target."""

    def __init__(self, settings: Settings, index: Index, ledger: Ledger, allowlist: Allowlist) -> None:
        """Take the settings and what is read."""
        self._settings = settings
        self._index, self._ledger, self._allowlist = index, ledger, allowlist

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Compare the actor with the setting, and search allowlist row and decisions for tickets."""
        del memo
        authorized = self._settings.authorized_actors
        if authorized is None:
            return Unavailable(reason="AUTHORIZED_ACTORS is not set.", fix="Set it (docs/settings.md).")
        tickets = [ticket async for ticket in self._tickets(question.incident_id)]
        items = (_of_actor(question.account, authorized), *(tickets or [_NO_TICKET]))
        return Found(count=len(items), items=items, raw=tuple(item.model_dump(mode="json") for item in items))

    async def _tickets(self, incident_id: str) -> AsyncIterator[Item]:
        entry = await self._index.get(incident_id)
        target = entry.target if entry else ""
        row = await self._allowlist.get(target) if guid_or_none(target) else None
        if isinstance(row, AllowlistEntry):
            for ticket in self._named((row.ticket, row.justification), whole=row.ticket):
                yield Item(at=row.edited_at, what="change ticket", detail={"ticket": ticket, "in": "allowlist entry"})
        if target:
            for decision in (await self._ledger.load(target)).rows(PersonDecision):
                if decision.incident_id == incident_id:
                    for ticket in self._named((decision.reason,)):
                        detail = {"ticket": ticket, "in": f"{decision.verb} by {decision.who}"}
                        yield Item(at=decision.at, what="change ticket", detail=detail)

    def _named(self, texts: tuple[str, ...], *, whole: str = "") -> Iterator[str]:
        """Yield the tickets in texts by CHANGE_TICKET_PATTERN; without it, the text of a column for tickets."""
        pattern = self._settings.change_ticket_pattern
        if not pattern:
            yield from filter(None, [whole])
            return
        found = (match.group() for text in texts for match in re.finditer(pattern, text[:_SEARCHED]))
        yield from dict.fromkeys(found)


def _of_actor(account: AskedAccount, authorized: frozenset[str]) -> Item:
    names = {account.object_id, account.app_id, account.user_principal_name.casefold()} - {None, ""}
    listed = not names.isdisjoint(authorized)
    detail = {"actor": str(account), "listed": "yes" if listed else "no"}
    return Item(what="AUTHORIZED_ACTORS", detail=detail, notable=None if listed else "not an authorized actor")

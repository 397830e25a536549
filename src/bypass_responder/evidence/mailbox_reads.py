"""Rules, forwarding and permissions of a mailbox, read directly by the Exchange worker.

One question is one message. The worker answers in its own time: the source is pending until then, and asks again when
an answer does not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from bypass_responder.errors import InputError, NotFoundError, TransientError
from bypass_responder.evidence.audit_fields import leaves_home, quoted_text, takes_away
from bypass_responder.model.account_read import AccountRead, AccountSection, InboxRule, Permission, Section
from bypass_responder.model.exchange_read import ReadAccount, ReadOutcome
from bypass_responder.model.question import Empty, Found, Item, Pending, Unavailable

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.exchange_read import ReadResult
    from bypass_responder.model.question import Answer, AskedAccount, Question
    from bypass_responder.ports import Clock, ExchangeReads

ANSWERED_WITHIN = timedelta(minutes=40)
"""Of a question; then another is sent."""
FIRST_LOOK, LATER_LOOK = timedelta(minutes=1), timedelta(minutes=10)
GRANT = "bypassctl grant --exchange-script --set reads prints the script for the role group"
NOTHING_READ = "The worker's answer has no part that was asked for."
_ANYONE = {"anonymous", "default"}
_HARMLESS = {"none", "availabilityonly", "limiteddetails"}


class Judged(NamedTuple):
    """The items of a read. ``sections``: what was read for it."""

    sections: tuple[Section[Any] | None, ...]
    items: list[Item]


Judge = Callable[[AccountRead, "AskedAccount"], Judged]


class MailboxReads:
    """One source that the worker answers, with the sections that it asks for."""

    def __init__(
        self,
        reads: ExchangeReads,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        tenant_id: str,
        sections: tuple[AccountSection, ...],
        judge: Judge,
    ) -> None:
        """``judge`` makes items of what was read."""
        self._reads, self._clock, self._new_id = reads, clock, new_id
        self._tenant = tenant_id
        self._sections, self._judge = sections, judge

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Send the question, or look for its answer."""
        object_id = question.account.object_id
        if object_id is None:
            return Unavailable(reason="No record names the object id.", fix="Get-Recipient finds it by name.")
        now = self._clock()
        stored = await self._reads.find(memo) if memo else None
        if stored is None:
            return await self._send(object_id, now)
        if stored.result is None:
            late = now >= stored.asked_at + ANSWERED_WITHIN
            return await self._send(object_id, now) if late else Pending(memo=stored.command.command_id)
        return await self._taken(stored.result, question.account) or await self._send(object_id, now, LATER_LOOK)

    async def _send(self, object_id: str, now: datetime, after: timedelta = FIRST_LOOK) -> Pending:
        command = ReadAccount(
            command_id=self._new_id(),
            tenant_id=self._tenant,
            object_id=object_id,
            sections=self._sections,
            not_after=now + ANSWERED_WITHIN,
        )
        await self._reads.ask(command, now)
        return Pending(memo=command.command_id, after=after)

    async def _taken(self, result: ReadResult, account: AskedAccount) -> Answer | None:
        """Return the answer; None where asking again may help."""
        match result.outcome:
            case ReadOutcome.READ:
                return await self._read(result, account)
            case ReadOutcome.NOT_FOUND:
                return Empty(note="Exchange has no recipient with this object id.")
            case ReadOutcome.AMBIGUOUS:
                return Unavailable(
                    reason="Exchange has several recipients with this object id.", fix="Get-Mailbox lists them."
                )
        if result.error_class == "transient":
            return None
        return Unavailable(
            reason=f"The Exchange worker could not read it: {result.error or result.outcome}",
            fix=GRANT,
        )

    async def _read(self, result: ReadResult, account: AskedAccount) -> Answer:
        try:
            [line] = [line async for line in self._reads.lines(result)]
            read = AccountRead.model_validate_json(line)
        except NotFoundError as error:
            raise TransientError("The worker's rows are not there yet.") from error
        except (InputError, ValueError) as error:
            return Unavailable(reason=f"The worker's answer cannot be read: {type(error).__name__}", fix=GRANT)
        judged = self._judge(read, account)
        asked = [section for section in judged.sections if section is not None]
        errors = [section.error for section in asked if section.error]
        note = "; ".join([*(f"Not read: {error}" for error in errors), *_not_enumerated(asked)])
        if len(errors) == len(asked):
            return Unavailable(reason=errors[0] if errors else NOTHING_READ, fix=GRANT)
        if not judged.items:
            return Empty(note=note)
        return Found(
            count=len(judged.items),
            items=tuple(judged.items),
            complete=result.complete and not errors,
            note=note,
            raw=(read.model_dump(mode="json", exclude_none=True),),
        )


def _not_enumerated(sections: Iterable[Section[Any]]) -> Iterator[str]:
    missing = dict.fromkeys(each for section in sections for each in section.not_enumerated)
    if missing:
        yield f"Not enumerated: {', '.join(missing)}"


def inbox_rules(read: AccountRead, account: AskedAccount) -> Judged:
    """Return the rules; notable where one sends mail outside, or takes it away unseen."""
    section = read.inbox_rules
    rules = section.items if section else ()
    return Judged((section,), [_rule(rule, account) for rule in rules])


def _rule(rule: InboxRule, account: AskedAccount) -> Item:
    sent_to = (*rule.forward_to, *rule.redirect_to, *rule.forward_as_attachment_to)
    outside = [each for each in sent_to if leaves_home(each, account.user_principal_name)]
    reasons = [f"sends mail outside: {', '.join(map(quoted_text, outside))}"] if outside else []
    acts = bool(sent_to) or rule.delete or bool(rule.move_to)
    reasons += ["hidden rule"] if rule.hidden and acts else []
    reasons += ["deletes mail"] if rule.delete else []
    reasons += filter(None, [takes_away(rule.move_to, marks_as_read=rule.mark_as_read)])
    detail = {
        "name": rule.name,
        "enabled": {True: "yes", False: "no", None: "unknown"}[rule.enabled],
        "hidden": "yes" if rule.hidden else "no",
        "sends to": ", ".join(sent_to),
        "moves to": rule.move_to,
        "marks as read": "yes" if rule.mark_as_read else "",
        "conditions": ", ".join(rule.conditions),
    }
    return Item(
        what="inbox rule",
        detail={name: text for name, text in detail.items() if text},
        notable="; ".join(reasons) or None,
    )


def forwarding(read: AccountRead, account: AskedAccount) -> Judged:
    """Return where the mailbox forwards its mail to; always notable."""
    del account
    items = [
        Item(
            what="forwarding",
            detail={"to": to, "keeps a copy": _yes(state.deliver_and_forward)},
            notable=f"to {quoted_text(to)}",
        )
        for state in (read.mailbox.items if read.mailbox else ())
        for to in (state.forwarding_smtp_address, state.forwarding_address)
        if to
    ]
    return Judged((read.mailbox,), items)


def _yes(value: bool | None) -> str:  # noqa: FBT001 - a value to show
    return {True: "yes", False: "no", None: "unknown"}[value]


def delegates(read: AccountRead, account: AskedAccount) -> Judged:
    """Return who can open the mailbox or send as it; notable where anybody can."""
    del account
    sections = (read.opened_by, read.sent_as_by, read.folder_permissions)
    names = ("opens the mailbox", "sends as it", "opens a folder")
    items = [
        _permission(permission, what, permission.trustee)
        for section, what in zip(sections, names, strict=True)
        for permission in (section.items if section else ())
    ]
    items += [
        Item(what="sends on behalf of it", detail={"who": who})
        for state in (read.mailbox.items if read.mailbox else ())
        for who in state.send_on_behalf
    ]
    return Judged((*sections, read.mailbox), items)


def opens_mailboxes(read: AccountRead, account: AskedAccount) -> Judged:
    """Return the other mailboxes in which actions of the account are missing as well."""
    del account
    sections = (read.can_open, read.can_send_as, read.can_send_on_behalf)
    names = ("can open", "can send as", "can send on behalf of")
    items = [
        _permission(permission, what, permission.mailbox)
        for section, what in zip(sections, names, strict=True)
        for permission in (section.items if section else ())
    ]
    return Judged(sections, items)


def _permission(permission: Permission, what: str, who: str) -> Item:
    open_to_all = permission.trustee.casefold() in _ANYONE and not _HARMLESS.issuperset(
        right.casefold() for right in permission.rights
    )
    detail = {"who": who, "folder": permission.folder, "rights": ", ".join(permission.rights)}
    return Item(
        what=what,
        detail={name: text for name, text in detail.items() if text},
        notable="anybody has this right" if open_to_all and not permission.deny else None,
    )


SOURCES: dict[str, tuple[tuple[AccountSection, ...], Judge]] = {
    "inbox_rules": ((AccountSection.INBOX_RULES,), inbox_rules),
    "forwarding": ((AccountSection.MAILBOX,), forwarding),
    "delegates": (
        (
            AccountSection.MAILBOX,
            AccountSection.OPENED_BY,
            AccountSection.SENT_AS_BY,
            AccountSection.FOLDER_PERMISSIONS,
        ),
        delegates,
    ),
    "opens_mailboxes": (
        (AccountSection.CAN_OPEN, AccountSection.CAN_SEND_AS, AccountSection.CAN_SEND_ON_BEHALF),
        opens_mailboxes,
    ),
}
"""By the names of ``evidence.sources``: what is read, and what is made of it."""

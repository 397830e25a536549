"""Searches of the unified audit log: submitted, run by the service, then read.

A search takes the service minutes or hours. The memo is the ids of the submitted queries, so that a later ask goes on
with them after any interruption. Only names of users, objects and operations are in a query: the service's own names
for a workload conflict between versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from kiota_abstractions.method import Method

from bypass_responder.adapters.graph_evidence.pages import SECONDS
from bypass_responder.errors import InputError, NotFoundError, PermissionMissingError, TransientError
from bypass_responder.evidence import ediscovery, exchange_changes, mail_access, other_workloads, role_changes
from bypass_responder.evidence.audit_fields import gathered
from bypass_responder.model.base import Value
from bypass_responder.model.question import Answer, Empty, Found, Pending, Question, Unavailable
from bypass_responder.operating.blind_windows.missing_records import ACTION_TYPES
from bypass_responder.rights import Api

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.operating.self_check import OwnTokens

QUERIES = "/v1.0/security/auditLog/queries"
EXCHANGE = ("AuditLogsQuery-Exchange.Read.All", "AuditLogsQuery.Read.All")
EVERYTHING = ("AuditLogsQuery.Read.All",)
MOST = 5_000
BESIDE = {
    "Operation": "operation",
    "CreationTime": "createdDateTime",
    "UserId": "userPrincipalName",
    "ObjectId": "objectId",
    "ClientIP": "clientIp",
    "Workload": "service",
}
"""Fields of an audit record, and where the service has them again."""
LOOK_AGAIN = timedelta(minutes=2)
RESUBMIT = 1
"""How often a query that ended without a result is submitted again."""
Search = dict[str, Any]


class State(StrEnum):
    """How far a query is. Any other word counts as running."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Memo(Value):
    """What is kept between two asks."""

    ids: tuple[str, ...] = ()
    """Of the first queries; the others are not submitted yet."""
    again: int = 0


class Topic(NamedTuple):
    """What a search is about: its filters, and how its records become an answer."""

    searches: Callable[[Question], Sequence[Search]]
    answer: Callable[..., Found | Empty]
    permissions: tuple[str, ...] = EXCHANGE
    """Any one of these is enough."""
    habits: bool = False
    """True: the days before are asked about as well."""


class AuditLogQueries:
    """One topic. Permission: AuditLogsQuery-Exchange.Read.All or AuditLogsQuery.Read.All.

    A query with the permission of another workload succeeds and finds nothing, so the token is checked before.
    """

    def __init__(self, graph: GraphReader, tokens: OwnTokens, topic: Topic) -> None:
        """Take what reads Graph, the app's own tokens, and one of ``TOPICS``."""
        self._graph = graph
        self._tokens = tokens
        self._topic = topic
        self._permission = " or ".join(topic.permissions)

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Submit the queries, or look whether they are done, and read their records."""
        searches = self._topic.searches(question)
        if not searches:
            return Unavailable(
                reason="The audit log knows users by their user principal name, and the record has none.",
                fix="Search the audit log by the name that the record has: https://purview.microsoft.com/audit",
            )
        if memo is None:
            await self._require_permission()
            return await self._submit(searches, question, Memo())
        known = _known(memo)
        try:
            states = [await self._state(each) for each in known.ids]
        except NotFoundError:
            states = [Search(status=State.CANCELLED)]
        if len(known.ids) < len(searches):
            return await self._submit(searches, question, known)
        words = [str(each.get("status")).casefold() for each in states]
        if {State.FAILED, State.CANCELLED} & {*words}:
            return await self._once_more(searches, question, known)
        if any(word != State.SUCCEEDED for word in words):
            return Pending(memo=memo, after=LOOK_AGAIN)
        return await self._answer(known, question, over=any(each.get("isRecordCountLimitExceeded") for each in states))

    async def _require_permission(self) -> None:
        token = await self._tokens.inspect(Api.GRAPH)
        if not token.problem and not set(self._topic.permissions) & set(token.roles):
            raise PermissionMissingError("The app's token lacks the permission.", permission=self._permission)

    async def _submit(self, searches: Sequence[Search], question: Question, known: Memo) -> Pending:
        """Submit what is not submitted.

        Where the service refuses one for now, the others are not submitted again.
        """
        ids = [*known.ids]
        for number, search in enumerate(searches[len(ids) :], start=len(ids) + 1):
            body = {
                "@odata.type": "#microsoft.graph.security.auditLogQuery",
                "displayName": f"bypass responder {question.incident_id} {question.source} {number}",
                "filterStartDateTime": f"{question.known_from if self._topic.habits else question.start:{SECONDS}}",
                "filterEndDateTime": f"{question.end:{SECONDS}}",
            }
            try:
                made = await self._graph.send(Method.POST, QUERIES, permission=self._permission, body=body | search)
            except TransientError:
                if len(ids) == len(known.ids):
                    raise
                break
            if not made.get("id"):
                raise TransientError("Graph answered a query without its id.")
            ids.append(str(made["id"]))
        return Pending(memo=known.model_copy(update={"ids": tuple(ids)}).model_dump_json(), after=LOOK_AGAIN)

    async def _once_more(self, searches: Sequence[Search], question: Question, known: Memo) -> Answer:
        if known.again < RESUBMIT:
            return await self._submit(searches, question, Memo(again=known.again + 1))
        times = known.again + 1
        return Unavailable(
            reason=f"The service ended the audit log query without a result, {times} times.",
            fix="Search the audit log: https://purview.microsoft.com/audit/auditsearch",
        )

    async def _state(self, query_id: str) -> Search:
        return await self._graph.read(f"{QUERIES}/{query_id}", permission=self._permission)

    async def _answer(self, known: Memo, question: Question, *, over: bool) -> Answer:
        records: dict[str, dict[str, Any]] = {}
        complete = not over
        for each in known.ids:
            found = await self._graph.pages(
                f"{QUERIES}/{each}/records",
                permission=self._permission,
                params={"$top": "1000"},
                most=MOST,
                seconds=10.0,
            )
            for record in found.records:
                records.setdefault(str(record.get("id") or f"without an id: {len(records)}"), _audit_data(record))
            complete = complete and found.complete
        return self._topic.answer(list(records.values()), question, complete=complete)


def _known(memo: str) -> Memo:
    """Return what an earlier ask noted. Raises InputError."""
    try:
        return Memo.model_validate_json(memo)
    except ValueError as problem:
        raise InputError("unreadable_memo", "the note of an earlier ask cannot be read") from problem


def _audit_data(record: dict[str, Any]) -> dict[str, Any]:
    """Return the audit record, or without one, what is beside it.

    Some versions of the service give it as text.
    """
    data = record.get("auditData")
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            data = None
    return data if isinstance(data, dict) else record | {name: record.get(beside) for name, beside in BESIDE.items()}


def _by(question: Question) -> Search | None:
    """Return the filter by who did it: a user principal name, or an application's id in the record."""
    who = question.account
    if who.user_principal_name:
        return {"userPrincipalNameFilters": [who.user_principal_name]}
    return {"keywordFilter": who.app_id} if who.app_id else None


def _about(question: Question) -> Search | None:
    """Return the filter by what it was done to: Exchange's name of an object is one of these."""
    who = question.account
    names = [who.user_principal_name, who.object_id, who.user_principal_name.partition("@")[0]]
    known = [name for name in dict.fromkeys(names) if name]
    return {"objectIdFilters": known} if known else None


def _with(operations: Sequence[str], *filters: Search | None) -> list[Search]:
    return [each | {"operationFilters": list(operations)} for each in filters if each is not None]


TOPICS = {
    "mail_items_accessed": Topic(lambda question: _with(("MailItemsAccessed",), _by(question)), mail_access.answer_of),
    "exchange_changes": Topic(
        lambda question: _with(exchange_changes.OPERATIONS, _by(question), _about(question)),
        exchange_changes.changes_of,
    ),
    "role_changes": Topic(lambda _: _with(role_changes.OPERATIONS, {}), role_changes.changes_of, habits=True),
    "files_and_teams": Topic(
        lambda question: [
            each | {"recordTypeFilters": list(other_workloads.RECORD_TYPES)} for each in (_by(question),) if each
        ],
        other_workloads.activity_of,
        EVERYTHING,
    ),
    "ediscovery": Topic(
        lambda question: _with(ediscovery.OPERATIONS, _by(question)), ediscovery.searches_of, EVERYTHING
    ),
}
"""By the name of the source."""

MAILBOX_ACCESS = Topic(
    lambda question: [{"keywordFilter": question.account.user_principal_name, "operationFilters": list(ACTION_TYPES)}],
    lambda records, question, complete: gathered(records, (), complete=complete),  # noqa: ARG005 - a topic's shape
)
"""What anyone did in the mailbox of an account. Only a keyword finds it: there is no filter by a mailbox's owner."""

"""Audit log queries: created, worked on for a while, then read page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.tenant.logs.traces import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TYPES = {
    1: "exchangeAdmin", 2: "exchangeItem", 4: "sharePoint", 6: "sharePointFileOperation", 7: "oneDrive",
    14: "sharePointSharingOperation", 24: "discovery", 25: "microsoftTeams", 31: "aeD", 50: "exchangeItemAggregated",
}  # fmt: skip
"""Names of record types in queries, by the number in a record."""
WORKLOADS = {
    "AuditLogsQuery-Exchange.Read.All": {"Exchange"},
    "AuditLogsQuery-Entra.Read.All": {"AzureActiveDirectory"},
    "AuditLogsQuery.Read.All": {"Exchange", "AzureActiveDirectory", "OneDrive", "SharePoint", "MicrosoftTeams",
                                "SecurityComplianceCenter"},
}  # fmt: skip
"""What a permission lets a caller see."""


class Asked(BaseModel):
    """The body of a new query.

    Other names than these are refused, as ``serviceFilter`` would be ambiguous.
    """

    model_config = ConfigDict(extra="forbid")

    odata_type: str | None = Field(default=None, alias="@odata.type")
    displayName: str  # noqa: N815 - the service's name, as all of these
    filterStartDateTime: datetime  # noqa: N815
    filterEndDateTime: datetime  # noqa: N815
    recordTypeFilters: list[str] = []  # noqa: N815
    operationFilters: list[str] = []  # noqa: N815
    userPrincipalNameFilters: list[str] = []  # noqa: N815
    objectIdFilters: list[str] = []  # noqa: N815
    keywordFilter: str | None = None  # noqa: N815


@dataclass
class AuditQuery:
    """One query and what it found."""

    asked: Asked
    found: list[Record]
    polls: int = 0
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class AuditQueries:
    """All queries of the tenant.

    ``running_polls`` is how often a query is still running; ``ends_as`` is a query's last state.
    """

    running_polls: int = 1
    ends_as: str = "succeeded"
    limit: int = 1_000_000
    """Records that one query gives. It says so when there are more."""
    made: dict[str, AuditQuery] = field(default_factory=dict)

    def create(self, body: Record, records: Sequence[Record], roles: Sequence[str]) -> Record:
        """Start a query over the records that ``roles`` may see. Raises ValueError with what is wrong."""
        try:
            asked = Asked.model_validate(body)
        except ValidationError as problem:
            raise ValueError(str(problem.errors()[0]["msg"])) from problem
        visible = set[str]().union(*(WORKLOADS.get(role, set()) for role in roles))
        query = AuditQuery(asked, list(_matching(asked, records, visible)))
        self.made[query.id] = query
        return self._shown(query, "notStarted")

    def status(self, query: AuditQuery) -> Record:
        """Return a query with its state, which changes from poll to poll."""
        query.polls += 1
        running = query.polls <= self.running_polls
        return self._shown(query, "running" if running else self.ends_as)

    def records(self, query: AuditQuery) -> list[Record]:
        """Return what a query found, each record wrapped as Graph does it."""
        return [_wrapped(record) for record in query.found[: self.limit]]

    def _shown(self, query: AuditQuery, status: str) -> Record:
        asked = query.asked.model_dump(mode="json", exclude={"odata_type"})
        over = status == "succeeded" and len(query.found) > self.limit
        return asked | {"id": query.id, "status": status, "isRecordCountLimitExceeded": over}


def _matching(asked: Asked, records: Sequence[Record], visible: set[str]) -> Iterator[Record]:
    operations, users, objects = (
        {word.casefold() for word in words}
        for words in (asked.operationFilters, asked.userPrincipalNameFilters, asked.objectIdFilters)
    )
    for record in records:
        at = datetime.fromisoformat(f"{record['CreationTime']}+00:00")
        fits = (
            record["Workload"] in visible
            and asked.filterStartDateTime <= at <= asked.filterEndDateTime + timedelta(seconds=1)
            and (not operations or record["Operation"].casefold() in operations)
            and (not users or record["UserId"].casefold() in users)
            and (not objects or str(record["ObjectId"]).casefold() in objects)
            and (not asked.recordTypeFilters or TYPES.get(record["RecordType"]) in asked.recordTypeFilters)
            and (not asked.keywordFilter or asked.keywordFilter.casefold() in str(record).casefold())
        )
        if fits:
            yield record


def _wrapped(record: Record) -> dict[str, Any]:
    return {
        "id": record["Id"],
        "createdDateTime": f"{record['CreationTime']}Z",
        "auditLogRecordType": TYPES.get(record["RecordType"], "unknownFutureValue"),
        "operation": record["Operation"],
        "userId": record["UserId"],
        "userPrincipalName": record["UserId"],
        "service": record["Workload"],
        "objectId": record["ObjectId"],
        "clientIp": record["ClientIP"],
        "administrativeUnits": [],
        "auditData": record,
    }

"""A question to the Exchange worker, as the ledger remembers it."""

from __future__ import annotations

from typing import ClassVar, Literal

from bypass_responder.model.base import Utc
from bypass_responder.model.message import CommandKind, ExchangeResult
from bypass_responder.model.row import Row


class Command(Row):
    """A question to the Exchange worker. Its answer counts once, while it is outstanding."""

    kind: ClassVar[str] = "command"
    id: str
    command: CommandKind
    state: Literal["outstanding", "answered", "superseded"] = "outstanding"
    object_id: str | None = None
    identity: str | None = None
    incident_id: str | None = None
    recheck: bool = False
    asked: int = 1
    """How many times this question was asked, this time included."""
    created_at: Utc
    planned_by: str = ""
    """The run that planned it and is about to send it; another one only does when it took too long."""
    sent: bool = False
    not_after: Utc
    answer: ExchangeResult | None = None

    @property
    def row_key(self) -> str:
        """Key by the random command id."""
        return f"command-{self.id}"

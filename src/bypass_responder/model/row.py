"""A row of a target's partition in the ledger."""

from __future__ import annotations

from typing import ClassVar

from bypass_responder.model.base import Value


class Row(Value):
    """One row of a target's partition."""

    kind: ClassVar[str]

    @property
    def row_key(self) -> str:
        """Key of the row inside its partition."""
        raise NotImplementedError

"""Who could set bypasses at the last daily read of the roles. One row in the tenant's case."""

from __future__ import annotations

from typing import ClassVar

from bypass_responder.model.base import Row, Utc


class RightHolders(Row):
    """The holders of the right as they were read, and whether the worker's own role group was among them."""

    kind: ClassVar[str] = "right_holders"
    key: ClassVar[str] = "right-holders"
    read_at: Utc
    holders: tuple[str, ...]
    own: bool
    assignments: tuple[str, ...] = ()
    """Names of the role assignments by which somebody can set bypasses."""
    whole: bool = True
    """False: a part was not read; ``holders`` then has those of the look before too."""
    since: tuple[Utc, ...] = ()
    """Of each of ``holders``: the look that was the first to have it. A version before had none."""
    own_group: str = ""
    """The role group with which the worker removes bypasses."""
    reads_group: str = ""
    """The role group with which it read this."""

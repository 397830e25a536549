"""The audit feed of the stand-in tenant: subscriptions and content blobs.

A blob becomes visible after its delay.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRIEVABLE = timedelta(days=7)
AUDIT_EXCHANGE = "Audit.Exchange"
CONTENT_TYPES = frozenset(
    {"Audit.AzureActiveDirectory", AUDIT_EXCHANGE, "Audit.SharePoint", "Audit.General", "DLP.All"}
)


@dataclass(frozen=True)
class Blob:
    """One content blob.

    ``created`` is its contentCreated, which may lie before the moment at which it was truly ``published``; it is
    listed from ``visible_at`` on, which may be later.
    """

    content_id: str
    content_type: str
    body: bytes
    created: datetime
    published: datetime
    visible_at: datetime

    @property
    def expires(self) -> datetime:
        """contentExpiration: afterwards the blob answers AF20051."""
        return self.created + RETRIEVABLE


@dataclass
class Subscription:
    """One content type's subscription; ``status`` is ``enabled`` or ``disabled``.

    Only an administrator disables it; the API then answers AF20023.
    """

    status: str = "enabled"
    webhook: dict[str, str] | None = None


@dataclass
class Feed:
    """Blobs and subscriptions.

    Nothing is delivered in order of events, and nothing is delivered only once.
    """

    blobs: dict[str, Blob] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    started_at: dict[str, datetime] = field(default_factory=dict)
    """When start was last called, by content type; kept when the subscription is gone."""
    _turns: dict[str, list[datetime]] = field(default_factory=dict)
    """By content type, when its subscription ended, was enabled again, ended …"""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def publish(
        self,
        body: bytes,
        *,
        created: datetime,
        visible_at: datetime,
        published: datetime | None = None,
        content_type: str = AUDIT_EXCHANGE,
    ) -> Blob:
        """Put a blob into the feed; it is ``published`` when it becomes visible, unless given otherwise.

        The body is served as it is, readable or not.
        """
        stamp = f"{created:%Y%m%d%H%M%S}{created.microsecond // 1000:03}{next(self._numbers):06}"
        tail = content_type.replace(".", "_")
        content_id = f"{stamp}${stamp}${tail.lower()}${tail}"
        blob = Blob(content_id, content_type, body, created, published or visible_at, visible_at)
        self.blobs[blob.content_id] = blob
        return blob

    def subscribe(self, content_type: str, subscription: Subscription | None, *, now: datetime) -> None:
        """Set the subscription, or end it. What is published until it is enabled again is lost.

        Before it was first set, blobs are kept: then another application may have subscribed.
        """
        if subscription is None:
            self.subscriptions.pop(content_type, None)
        else:
            self.subscriptions[content_type] = subscription
        ended = subscription is None or subscription.status != "enabled"
        turns = self._turns.setdefault(content_type, [])
        if ended != (len(turns) % 2 == 1):
            turns.append(now)

    def find(self, content_id: str) -> Blob | None:
        """The blob of this id, unless nobody was subscribed when it was published."""
        blob = self.blobs.get(content_id)
        return blob if blob and self._kept(blob) else None

    def _kept(self, blob: Blob) -> bool:
        return bisect_right(self._turns.get(blob.content_type, []), blob.published) % 2 == 0

    def listed(
        self, content_type: str, *, start: datetime, end: datetime, as_of: datetime, shuffle_seed: int | None = None
    ) -> list[Blob]:
        """Blobs with ``start <= contentCreated < end`` that were visible at ``as_of``.

        In order of appearance or shuffled by a seed; the same question has the same answer, so that pages fit together.
        """
        blobs = [
            blob
            for blob in self.blobs.values()
            if blob.content_type == content_type
            and start <= blob.created < end
            and blob.visible_at <= as_of
            and self._kept(blob)
        ]
        blobs.sort(key=lambda blob: blob.visible_at)
        if shuffle_seed is not None:
            random.Random(shuffle_seed).shuffle(blobs)
        return blobs

"""Many allowlist rows in one notification: changes at once, and the digest of entries that expire."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.case.allowlist_summary import expiring, send_digest, summarize_changes
from bypass_responder.case.draft import Draft
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.notification import Notification
from tests.world import ALEX, BLAKE, START, an_entry

HOUR = timedelta(hours=1)


def test_many_changes_are_notified_together_with_their_editors() -> None:
    draft = Draft(Case(TENANT_TARGET), now=START)
    stamps = {"edit_id": "e", "edited_by": "adele@contoso.com", "via": "bypassctl"}
    summarize_changes(draft, {ALEX: an_entry(**stamps), BLAKE: None})
    [notification] = draft.case.rows(Notification)

    assert (notification.title, "adele@contoso.com" in notification.text) == (
        "2 allowlist entries changed within a minute",
        True,
    )


def test_the_digest_names_what_expires_and_what_has_expired() -> None:
    soon, gone = an_entry(expires_at=START + 300 * HOUR), an_entry(BLAKE, expires_at=START - HOUR)
    late = an_entry(expires_at=START + 400 * HOUR)
    rows: list[AllowlistEntry | MalformedEntry] = [late, soon, gone, MalformedEntry(object_id=ALEX, problem="x")]
    draft = Draft(Case(TENANT_TARGET), now=START)
    send_digest(draft, expiring(rows, now=START))
    [notification] = draft.case.rows(Notification)

    assert notification.title == "Allowlist: 1 to expire within 14 days, 1 expired"
    assert BLAKE in notification.text

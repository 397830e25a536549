"""Allowlist rows over time: since when an entry counts, and what is a change.

Which rows could mean an account is tested as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.allowlist import approve, in_force, record_row, target_of, valid_since, was_in_force
from bypass_responder.case.draft import Draft
from bypass_responder.decision import covers
from bypass_responder.model.account import AllowlistEntry, MalformedEntry, could_mean
from bypass_responder.model.allowlist import ENTRY_KEY, SeenRow
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.notification import Notification
from tests.world import ALEX, BLAKE, START, an_account, an_entry

ACCOUNT = an_account()
HOUR = timedelta(hours=1)
INVISIBLE = (
    "",
    " ",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u2060",
    "\t",
    "\u3000",
    '"',
    "'",
    "{",
    "}",
    "<",
    ">",
    "%20",
    "%7B",
)
noise = st.lists(st.sampled_from(INVISIBLE), max_size=4).map("".join)


def a_row(at: datetime, **fields: Any) -> AllowlistEntry:
    return an_entry(edited_at=at, etag=f"at {at.isoformat()}", **fields)


def recorded(*rows: AllowlistEntry | MalformedEntry | None, quiet: bool = False) -> Draft:
    """The draft in which runs have seen these states of ALEX's row, one after the other."""
    draft = Draft(Case(ALEX), now=START)
    for row in rows:
        record_row(draft, ALEX, row, quiet=quiet)
    return draft


def seen(draft: Draft) -> SeenRow:
    row = draft.case.row(SeenRow, ENTRY_KEY)
    assert row is not None
    return row


def malformed(at: datetime) -> MalformedEntry:
    return MalformedEntry(object_id=ALEX, problem="Owner is missing", edited_at=at, etag=f"at {at.isoformat()}")


def test_an_edit_of_a_valid_entry_does_not_begin_anew() -> None:
    draft = recorded(a_row(START), a_row(START + HOUR, owner="new@contoso.com"))

    assert seen(draft).valid_since == START


def test_an_edit_that_no_run_has_seen_yet_does_not_begin_anew() -> None:
    entry = in_force(a_row(START + HOUR), recorded(a_row(START)).case, approval_required=False)

    assert covers(entry, since=START + HOUR / 2, now=START + 2 * HOUR)


def test_an_entry_that_no_run_has_seen_counts_from_its_own_timestamp() -> None:
    entry = in_force(a_row(START + HOUR), Case(ALEX), approval_required=False)

    assert not covers(entry, since=START + HOUR / 2, now=START + 2 * HOUR)


@pytest.mark.parametrize("between", [None, malformed(START + HOUR)], ids=["removed", "malformed"])
def test_an_entry_that_was_interrupted_begins_anew(between: MalformedEntry | None) -> None:
    draft = recorded(a_row(START), between, a_row(START + 2 * HOUR))

    assert seen(draft).valid_since == START + 2 * HOUR


def test_an_entry_that_had_expired_begins_anew() -> None:
    draft = recorded(a_row(START, expires_at=START + HOUR), a_row(START + 2 * HOUR))

    assert seen(draft).valid_since == START + 2 * HOUR


def test_a_snapshot_without_a_row_exempts_nobody() -> None:
    assert in_force(None, recorded(a_row(START)).case, approval_required=False) is None


def test_a_row_that_was_read_before_what_is_recorded_changes_nothing() -> None:
    draft = recorded(a_row(START + HOUR), a_row(START))

    assert seen(draft).etag == a_row(START + HOUR).etag


def test_a_change_says_before_and_after() -> None:
    draft = recorded(a_row(START), a_row(START + HOUR, owner="new@contoso.com"))
    [*_, last] = draft.entries

    assert (last.facts["before"]["owner"], last.facts["after"]["owner"]) == (an_entry().owner, "new@contoso.com")


def test_a_row_that_is_as_it_was_is_not_reported_again() -> None:
    draft = recorded(a_row(START), a_row(START), None, None)

    assert [entry.text.partition(":")[0] for entry in draft.entries] == ["added", "removed"]
    assert len(draft.case.rows(Notification)) == 2


def test_the_first_run_records_and_does_not_notify() -> None:
    draft = recorded(a_row(START), quiet=True)

    assert (len(draft.entries), draft.case.rows(Notification)) == (1, [])


@given(times=st.lists(st.integers(0, 1000), min_size=1, max_size=6).map(sorted))
def test_edits_of_an_entry_that_stays_valid_never_move_its_beginning(times: list[int]) -> None:
    rows = [a_row(START + timedelta(minutes=minute), ticket=str(number)) for number, minute in enumerate(times)]

    assert valid_since(rows[-1], seen(recorded(*rows))) == START + timedelta(minutes=times[0])


@given(st.lists(st.tuples(st.integers(1, 1000), st.sampled_from(["valid", "short", "malformed", "gone"])), max_size=6))
def test_an_entry_never_counts_from_before_its_account_had_a_valid_row(steps: list[tuple[int, str]]) -> None:
    at, since, until = START, None, START
    draft = Draft(Case(ALEX), now=START)
    for minutes, kind in steps:
        at += timedelta(minutes=minutes)
        ends = at + timedelta(minutes=10) if kind == "short" else START + timedelta(days=30)
        row = {"malformed": malformed(at), "gone": None}.get(kind, a_row(at, expires_at=ends))
        record_row(draft, ALEX, row)
        valid = isinstance(row, AllowlistEntry)
        since = (since if since and at < until else at) if valid else None
        until = ends
    found = draft.case.row(SeenRow, ENTRY_KEY)

    assert (found.valid_since if found else None) == since


@given(junk=st.lists(st.tuples(st.integers(0, len(ALEX)), st.sampled_from(INVISIBLE)), max_size=8))
def test_an_object_id_in_any_spelling_could_mean_its_account(junk: list[tuple[int, str]]) -> None:
    typed = ALEX.upper()
    for position, sign in sorted(junk, reverse=True):
        typed = typed[:position] + sign + typed[position:]

    assert could_mean(typed, ACCOUNT)
    assert not could_mean(typed, an_account(BLAKE, "blake@contoso.onmicrosoft.com"))


@given(before=noise, after=noise, prefix=st.sampled_from(["", "smtp:", "SMTP:", "mailto:"]))
def test_a_user_principal_name_in_any_spelling_could_mean_its_account(before: str, after: str, prefix: str) -> None:
    typed = before + prefix + ACCOUNT.user_principal_name.title() + after

    assert could_mean(typed, ACCOUNT)


@pytest.mark.parametrize("typed", ["Alex@contoso.com", "a.alias@contoso.com", "alex@home.example", "Alex.Alias"])
def test_an_address_or_alias_of_the_account_could_mean_it(typed: str) -> None:
    other_names = {
        "mail": "alex@contoso.com",
        "mail_nickname": "alex.alias",
        "proxy_addresses": ("SMTP:alex@contoso.com", "smtp:a.alias@contoso.com"),
        "other_mails": ("alex@home.example",),
    }

    account = ACCOUNT.model_copy(update=other_names)

    assert could_mean(typed, account)
    assert not could_mean(typed, ACCOUNT)
    assert not other_names.keys() & account.model_dump().keys()


def test_a_text_without_a_name_means_nobody() -> None:
    assert not could_mean(" ", ACCOUNT)
    assert not could_mean("smtp:", ACCOUNT)


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    assert could_mean(text, ACCOUNT) in {True, False}


@pytest.mark.parametrize(
    ("row_id", "target"),
    [(ALEX, ALEX), (f"t / {ALEX.upper()} ", ALEX), (f"t / {ALEX}\u200b", ALEX), ("t / svc@contoso.com", TENANT_TARGET)],
)
def test_a_row_is_recorded_in_the_case_of_its_account(row_id: str, target: str) -> None:
    assert target_of(row_id) == target


def test_a_change_names_the_command_that_undoes_it() -> None:
    draft = recorded(a_row(START))
    [notification] = draft.case.rows(Notification)

    assert f"bypassctl allowlist remove {ALEX}" in notification.left_to_do[0]


def test_a_removal_does_not_advise_to_remove_the_entry() -> None:
    draft = recorded(a_row(START), None)
    removed = [row for row in draft.case.rows(Notification) if "removed" in row.title]

    assert "bypassctl allowlist list" in removed[0].left_to_do[0]


def test_an_entry_that_was_removed_covers_what_began_before_once_it_is_restored() -> None:
    draft = recorded(a_row(START - HOUR), None, a_row(START + HOUR))
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=False)

    assert covers(entry, since=START - HOUR / 2, now=START + 2 * HOUR)


def test_what_began_while_an_entry_was_removed_is_not_covered() -> None:
    draft = recorded(a_row(START - HOUR), None, a_row(START + HOUR))
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=False)

    assert not covers(entry, since=START + HOUR / 2, now=START + 2 * HOUR)


def test_an_earlier_entry_covers_nothing_that_began_after_it_had_expired() -> None:
    draft = recorded(a_row(START - 2 * HOUR, expires_at=START - HOUR), None, a_row(START + HOUR))
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=False)

    assert not covers(entry, since=START - HOUR / 2, now=START + 2 * HOUR)


def test_a_restored_entry_that_no_run_has_seen_covers_what_began_before() -> None:
    draft = recorded(a_row(START - HOUR), None)
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=False)

    assert covers(entry, since=START - HOUR / 2, now=START + 2 * HOUR)


def approved(row: AllowlistEntry, draft: Draft, *, at: datetime) -> None:
    draft.now = at
    approve(draft, row, by="blake@contoso.com")


def test_an_entry_that_was_renewed_after_it_had_expired_covers_what_began_before_it_expired() -> None:
    lapsed, renewed = a_row(START - 2 * HOUR, expires_at=START), a_row(START + HOUR)
    for draft in (recorded(lapsed), recorded(lapsed, renewed)):
        entry = in_force(renewed, draft.case, approval_required=False)

        assert covers(entry, since=START - HOUR, now=START + 2 * HOUR)
        assert not covers(entry, since=START + HOUR / 2, now=START + 2 * HOUR)


def test_an_entry_that_was_unreadable_in_between_covers_what_began_before() -> None:
    draft = recorded(a_row(START - 2 * HOUR), malformed(START), a_row(START + HOUR))
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=False)

    assert covers(entry, since=START - HOUR, now=START + 2 * HOUR)
    assert not covers(entry, since=START + HOUR / 2, now=START + 2 * HOUR)


@pytest.mark.parametrize("required", [True, False])
def test_an_approved_entry_that_is_gone_was_in_force_from_its_approval_to_its_removal(required: bool) -> None:
    row = a_row(START - 2 * HOUR)
    draft = recorded(row)
    approved(row, draft, at=START - HOUR)
    draft.now = START
    record_row(draft, ALEX, None)

    assert was_in_force(draft.case, START - HOUR / 2, approval_required=required)
    assert was_in_force(draft.case, START - HOUR * 3 / 2, approval_required=required) is not required
    assert not was_in_force(draft.case, START + HOUR / 2, approval_required=required)


def test_an_approved_entry_that_was_edited_and_removed_was_in_force_until_the_edit() -> None:
    row = a_row(START - 2 * HOUR)
    draft = recorded(row)
    approved(row, draft, at=START - HOUR)
    record_row(draft, ALEX, a_row(START, owner="mallory@contoso.com"))
    draft.now = START + HOUR
    record_row(draft, ALEX, None)

    assert was_in_force(draft.case, START - HOUR / 2, approval_required=True)
    assert not was_in_force(draft.case, START + HOUR / 2, approval_required=True)


def test_a_row_that_was_gone_in_between_leaves_the_interval_recorded_before() -> None:
    draft = recorded(a_row(START - HOUR))
    record_row(draft, ALEX, a_row(START + HOUR), anew=True)

    assert seen(draft).earlier is None


def test_where_approvals_are_required_an_unapproved_earlier_entry_covers_nothing() -> None:
    draft = recorded(a_row(START - HOUR), None)
    entry = in_force(a_row(START + HOUR), draft.case, approval_required=True)

    assert not covers(entry, since=START - HOUR / 2, now=START + 2 * HOUR)


def test_without_a_row_an_earlier_entry_covers_nothing() -> None:
    assert in_force(None, recorded(a_row(START - HOUR), None).case, approval_required=False) is None


@given(
    st.lists(
        st.tuples(st.integers(1, 100), st.sampled_from(["valid", "short", "bad", "gone"])), min_size=1, max_size=8
    ),
    st.integers(0, 900),
)
def test_an_entry_covers_no_moment_at_which_the_account_had_none(steps: list[tuple[int, str]], minute: int) -> None:
    draft, at = Draft(Case(ALEX), now=START), START
    valid: list[tuple[datetime, datetime]] = []
    row = None
    for minutes, kind in steps:
        at += timedelta(minutes=minutes)
        ends = at + timedelta(minutes=10) if kind == "short" else START + timedelta(days=30)
        valid = [(since, min(until, at)) for since, until in valid]
        valid += [] if kind in {"gone", "bad"} else [(at, ends)]
        row = {"gone": None, "bad": malformed(at)}.get(kind, a_row(at, expires_at=ends))
        draft.now = at
        record_row(draft, ALEX, row)
    since = START + timedelta(minutes=minute, seconds=30)
    covered = covers(in_force(row, draft.case, approval_required=False), since=since, now=max(at, since) + HOUR / 60)

    assert not covered or any(begins < since < until for begins, until in valid)


def test_a_change_by_a_tool_is_logged_with_its_stamps() -> None:
    draft = recorded(a_row(START, edit_id="e", edited_by="adele@contoso.com", via="bypassctl"))

    assert [draft.entries[0].facts[name] for name in ("edit_id", "edited_by", "via")] == [
        *("e", "adele@contoso.com", "bypassctl")
    ]


def test_a_change_that_keeps_the_edit_id_was_made_outside() -> None:
    stamps = {"edit_id": "e", "edited_by": "adele@contoso.com", "via": "bypassctl"}
    draft = recorded(a_row(START, **stamps), a_row(START + HOUR, owner="new@contoso.com", **stamps))
    [*_, notification] = [row for row in draft.case.rows(Notification) if "changed" in row.title]

    assert "edit_id" not in draft.entries[-1].facts
    assert "editor unknown" in notification.text


def test_stamps_are_no_columns() -> None:
    assert a_row(START).digest() == a_row(START, edit_id="e", edited_by="a", via="b", reviewed_at=START).digest()

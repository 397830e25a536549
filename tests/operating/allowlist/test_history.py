"""Who changed an entry: what was seen stands, whatever is claimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.log import LogEntry
from bypass_responder.operating.allowlist.history import Change, Known, history
from tests.world import ALEX, START

OLD = {"owner": "old@contoso.com"}
NEW = {"owner": "new@contoso.com"}
EDIT = "00000000-0000-4000-8000-000000000001"
ADELE = "adele@contoso.com (no object id), claimed"


def an_entry(event: str, minutes: float = 0, *, who: str = "responder", **facts: Any) -> LogEntry:
    at = START + timedelta(minutes=minutes)
    return LogEntry(target=ALEX, seq=1, at=at, event=event, text=event, who=who, facts=facts, previous="")


def seen(minutes: float = 1, **facts: Any) -> LogEntry:
    return an_entry("allowlist_changed", minutes, **({"before": OLD, "after": NEW} | facts))


def stamped(minutes: float = 1, **facts: Any) -> LogEntry:
    return seen(minutes, **({"edit_id": EDIT, "edited_by": "adele@contoso.com", "via": "bypassctl"} | facts))


def reported(minutes: float = 1, *, who: str = ADELE, **facts: Any) -> LogEntry:
    about = {"edit_id": EDIT, "via": "bypassctl", "channel": "bypassctl", "before": OLD, "after": NEW, "action": "set"}
    return an_entry("allowlist_edited", minutes, who=who, **(about | facts))


def whole(*entries: LogEntry) -> list[tuple[str, str, Known]]:
    return [(line.what, line.who, line.known) for line in history(entries)]


def test_a_change_without_an_edit_id_has_no_known_editor() -> None:
    assert whole(seen()) == [("changed", "unknown", Known.UNKNOWN)]


def test_a_lost_report_leaves_the_editor_that_the_row_names() -> None:
    assert whole(stamped()) == [("changed", "adele@contoso.com", Known.NAMED_BY_ROW)]


def test_a_report_names_the_editor_of_the_change_that_bears_its_id() -> None:
    assert whole(stamped(), reported()) == [("changed", ADELE, Known.CLAIMED)]


def test_a_report_that_comes_before_the_change_was_seen_counts_too() -> None:
    assert whole(reported(0), stamped(1)) == [("changed", ADELE, Known.CLAIMED)]


def test_an_editor_from_the_console_is_verified() -> None:
    assert whole(stamped(), reported(who="adele", channel="console")) == [("changed", "adele", Known.VERIFIED)]


def test_a_forged_report_of_an_edit_that_nobody_saw_changes_no_line() -> None:
    lines = whole(seen(), reported(2))

    assert lines == [("changed", "unknown", Known.UNKNOWN), ("reported", ADELE, Known.NOT_SEEN)]


def test_a_report_with_other_values_than_the_table_held_is_contradicted() -> None:
    lines = whole(stamped(), reported(after={"owner": "third@contoso.com"}))

    assert lines == [("changed", "adele@contoso.com", Known.NAMED_BY_ROW), ("reported", ADELE, Known.CONTRADICTED)]


def test_an_edit_that_was_seen_together_with_the_one_before_has_its_editor() -> None:
    first = reported(0, edit_id="another", after={"owner": "between@contoso.com"})
    last = reported(0.5, before={"owner": "between@contoso.com"})
    [*_, line] = history([first, last, stamped()])

    assert (line.known, line.before, line.after) == (Known.CLAIMED, OLD, NEW)


def test_a_second_author_of_the_same_edit_is_contradicted() -> None:
    assert whole(stamped(), reported(), reported(2, who="mallory, claimed")) == [
        ("changed", ADELE, Known.CLAIMED),
        ("reported", "mallory, claimed", Known.CONTRADICTED),
    ]


def test_a_verified_author_replaces_a_claimed_one() -> None:
    lines = whole(stamped(), reported(who="mallory, claimed"), reported(2, who="adele", channel="console"))

    assert sorted(lines) == [("changed", "adele", Known.VERIFIED), ("reported", "mallory, claimed", Known.CONTRADICTED)]


def test_a_removal_is_reported_although_it_leaves_no_id() -> None:
    removed = seen(3, after={})

    assert whole(reported(1, after=None), removed) == [("removed", ADELE, Known.CLAIMED)]


def test_a_long_value_that_was_cut_in_the_case_is_whole_in_its_report() -> None:
    long = {"owner": "x" * 500}
    cut = {"owner": "x" * 200}
    [line] = history([stamped(before=cut), reported(before=long)])

    assert (line.before, line.is_whole) == (long, True)


def test_a_value_that_was_cut_and_never_reported_is_not_whole() -> None:
    [line] = history([seen(before={"owner": "x" * 200})])

    assert not line.is_whole


ids = st.sampled_from(["", EDIT, EDIT.replace("1", "2")])
columns = st.sampled_from([None, OLD, NEW, {}])
entries = st.lists(
    st.one_of(
        st.builds(
            lambda minutes, before, after, edit_id: seen(minutes, before=before, after=after, edit_id=edit_id),
            st.integers(0, 200),
            columns,
            columns,
            ids,
        ),
        st.builds(
            lambda minutes, before, after, edit_id, who, channel: reported(
                minutes, before=before, after=after, edit_id=edit_id, who=who, channel=channel
            ),
            st.integers(0, 200),
            columns,
            columns,
            ids,
            st.sampled_from(["adele", "mallory"]),
            st.sampled_from(["bypassctl", "console"]),
        ),
    ),
    max_size=8,
)


def states(lines: list[Change]) -> list[tuple[Any, ...]]:
    return [(line.at, line.what, line.before or {}, line.after or {}) for line in lines if line.seen]


@given(entries)
def test_what_was_seen_is_the_same_with_any_reports(log: list[LogEntry]) -> None:
    without = [entry for entry in log if entry.event == "allowlist_changed"]

    assert states(history(log)) == states(history(without))

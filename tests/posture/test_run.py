"""A read of all mailboxes in parts: which is asked, taken, split, asked again, given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.base import EARLIEST
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult, Recipients, Shard
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import MOST_PROBLEMS
from bypass_responder.posture.run import (
    ASKED_AGAIN_AFTER,
    FEW_ROWS,
    FEW_SECONDS,
    MOST_ASKED,
    MOST_ATTEMPTS,
    MOST_PARTS,
    Part,
    PostureRun,
    ask_next,
    begin,
    problems,
    split,
    stored_read,
    take,
    uncovered,
)
from tests.world import START, TENANT

DAY = timedelta(days=1)
USERS = Shard(recipients=Recipients.USER)
TIMES = [START + number * DAY for number in range(100)]


_NUMBERS = count()


def ids() -> list[str]:
    return [f"00000000-0000-4000-8000-{next(_NUMBERS):012}" for _ in range(MOST_ASKED)]


def an_answer(**fields: Any) -> ReadResult:
    given_fields = {
        "command_id": "00000000-0000-4000-8000-00000000000a",
        "kind": ReadKind.MAILBOXES,
        "tenant_id": TENANT,
        "outcome": ReadOutcome.READ,
        "started_at": START,
        "complete": True,
        "blob": "part.jsonl.gz",
        "sha256": "0" * 64,
        "rows": 3,
    }
    return ReadResult(**given_fields | fields)


def failed(**fields: Any) -> ReadResult:
    ended_so = {"outcome": ReadOutcome.FAILED, "complete": False, "blob": None, "sha256": None}
    return an_answer(**ended_so, error="Exchange is away.", **fields)


def too_large() -> ReadResult:
    return an_answer(complete=False, partial="the shard has more than 50000 mailboxes")


def begun(before: PostureRun | None = None) -> PostureRun:
    return ask_next(begin("run", START, before), START, ids())


def ended(run: PostureRun, *answers: ReadResult, now: datetime = START) -> PostureRun:
    """The run with each part answered: with these first, then completely."""
    left = list(answers)
    while run.ended_at is None:
        run = take(run, run.asked[0], left.pop(0) if left else an_answer(), TIMES)
        run = ask_next(run, now, ids())
    return run


def test_the_first_read_has_a_part_for_each_type_and_one_for_the_switches() -> None:
    run = begin("run", START, None)

    assert [part.name for part in run.parts] == [
        "organization", "user", "shared", "other", "group", "public_folder", "bypassed",
    ]  # fmt: skip


def test_few_parts_are_asked_at_a_time() -> None:
    assert len(begun().asked) == MOST_ASKED


def test_each_part_is_asked_and_then_the_read_has_ended() -> None:
    run = ended(begun())

    assert problems(run) == ()
    assert all(part.attempts == 1 for part in run.parts)


def test_a_part_that_fails_is_asked_again_alone() -> None:
    run = ended(begun(), failed())

    assert [part.attempts for part in run.parts] == [2, 1, 1, 1, 1, 1, 1]
    assert problems(run) == ()


def test_a_part_that_keeps_failing_makes_the_read_partial() -> None:
    run = begun()
    for _ in range(MOST_ATTEMPTS):
        run = ask_next(take(run, run.parts[1], failed(), []), START, ids())

    assert problems(ended(run)) == ("user: Exchange is away.",)


def test_a_missing_permission_is_not_tried_again() -> None:
    run = begun()
    run = take(run, run.parts[1], failed(error_class="permission"), [])

    assert problems(ended(run)) == ("user: Exchange is away.",)


def test_a_part_without_an_answer_is_asked_again_under_another_id() -> None:
    run = begun()
    later = ask_next(run, START + ASKED_AGAIN_AFTER, ids())

    assert {part.command_id for part in later.asked} & {part.command_id for part in run.asked} == set()


def test_a_question_is_not_repeated_while_its_answer_may_come() -> None:
    run = begun()

    assert ask_next(run, START + ASKED_AGAIN_AFTER - timedelta(seconds=1), ids()) == run


def test_a_part_that_is_too_large_is_split_and_its_pieces_cover_it() -> None:
    run = begun()
    run = take(run, run.parts[1], too_large(), TIMES)
    pieces = [part.shard for part in run.parts if part.shard and part.shard.recipients is Recipients.USER]

    assert len(pieces) == 4
    assert uncovered(pieces) == ""


def test_the_next_read_begins_with_the_parts_of_the_last() -> None:
    run = begun()
    run = take(run, run.parts[1], too_large(), TIMES)
    run = ended(ask_next(run, START, ids()), *[an_answer(rows=FEW_ROWS)] * 20)

    assert [part.name for part in begin("next", START, run).parts] == [part.name for part in run.parts]


def test_a_part_of_one_moment_cannot_be_split_and_is_named() -> None:
    run = begun()
    run = take(run, run.parts[1], too_large(), [])

    assert run.parts[1].problem == "the shard has more than 50000 mailboxes"


def test_a_warning_makes_the_read_partial() -> None:
    run = begun()
    run = take(run, run.parts[1], an_answer(complete=False, warnings=("More results are available.",)), [])

    assert problems(ended(run)) == ("user: More results are available.",)


def test_a_part_that_is_missing_from_the_row_is_a_hole() -> None:
    run = ended(begun())
    run = run.model_copy(update={"parts": run.parts[:1] + run.parts[2:]})

    assert problems(run) == ("user: not asked",)
    assert [part.name for part in begin("next", START, run).parts][1] == "user"


def test_parts_that_overlap_or_leave_a_gap_are_named() -> None:
    early = Shard(recipients=Recipients.USER, until=START)
    late = Shard(recipients=Recipients.USER, since=START + DAY)

    assert uncovered([early, late]).startswith("nothing from 20")
    assert uncovered([early, USERS]) != ""
    assert uncovered([late]).startswith("nothing before")
    assert uncovered([early]).startswith("nothing from")


@given(st.lists(st.integers(0, 9000).map(lambda days: EARLIEST + days * DAY)))
def test_pieces_cover_their_shard_whatever_the_times(times: list[datetime]) -> None:
    pieces = split(USERS, times)

    assert not pieces or uncovered(pieces) == ""
    assert all(one.until == other.since for one, other in pairwise(pieces))


def test_a_read_without_the_list_of_bypassed_accounts_says_so() -> None:
    run = begun()
    while run.ended_at is None:
        last = run.asked[0].name == "bypassed"
        answer = failed(error_class="permission") if last else an_answer()
        run = ask_next(take(run, run.asked[0], answer, []), START, ids())

    assert stored_read(run, Organization(), START).bypassed_read is False


def test_a_read_is_as_old_as_its_oldest_part() -> None:
    run = ended(begun(), an_answer(), an_answer(started_at=START - DAY))

    assert stored_read(run, Organization(), START).read_at == START - DAY


def test_progress_counts_parts_and_mailboxes() -> None:
    assert ended(begun()).progress == "7 of 7 parts, 15 mailboxes"


def test_a_type_with_warnings_can_be_compared_and_is_not_whole() -> None:
    warned = an_answer(complete=False, warnings=("An object is corrupted.",))
    run = begun()
    run = take(run, run.parts[1], warned, [])
    kept = stored_read(ended(run), Organization(), START)
    others = {Recipients.SHARED, Recipients.OTHER, Recipients.GROUP, Recipients.PUBLIC_FOLDER}

    assert {*kept.comparable_types()} == others | {Recipients.USER}
    assert {*kept.whole_types()} == others
    assert kept.recipients[0] is Recipients.USER


def test_a_type_that_was_not_read_cannot_be_compared() -> None:
    run = begun()
    run = take(run, run.parts[1], failed(error_class="permission"), [])

    assert Recipients.USER not in stored_read(ended(run), Organization(), START).comparable_types()


def test_many_long_warnings_of_many_parts_stay_small() -> None:
    """They are in one row, which has a limit."""
    warned = an_answer(complete=False, warnings=("w" * 500,) * 20)
    parts = tuple(Part(shard=Shard(recipients=Recipients.USER, since=at, until=at + DAY)) for at in TIMES)
    run = begun().model_copy(update={"parts": parts})
    for part in parts:
        run = take(run, part, warned, [])

    assert len(problems(run)) <= MOST_PROBLEMS + 7
    assert sum(map(len, problems(run))) < 10_000
    assert len(run.model_dump_json()) < 200 * 1000


def users_of(run: PostureRun) -> list[Shard]:
    return [part.shard for part in run.parts if part.shard and part.shard.recipients is Recipients.USER]


def test_parts_that_are_small_after_a_slow_day_are_merged_in_the_next_read() -> None:
    slow = ended(begun(), an_answer(), too_large())

    assert len(users_of(slow)) > 1
    assert users_of(begin("next", START, slow)) == [USERS]


def test_parts_that_stay_large_or_slow_are_not_merged() -> None:
    rows = ended(begun(), an_answer(), too_large(), *[an_answer(rows=FEW_ROWS)] * 20)
    slow = ended(begun(), an_answer(), too_large(), *[an_answer(duration_seconds=FEW_SECONDS)] * 20)

    assert users_of(begin("next", START, rows)) == users_of(rows)
    assert users_of(begin("next", START, slow)) == users_of(slow)


def test_merged_parts_leave_out_nothing() -> None:
    half = ended(begun(), an_answer(), too_large(), *[an_answer(rows=FEW_ROWS // 2)] * 20)
    shards = users_of(begin("next", START, half))

    assert 1 < len(shards) < len(users_of(half))
    assert uncovered(shards) == ""


def test_a_part_that_was_not_read_stays_as_it_is() -> None:
    run = ended(begun(), an_answer(), too_large(), *[failed(error_class="permission")] * 20)

    assert users_of(begin("next", START, run)) == users_of(run)


def test_a_part_that_ended_early_cannot_be_compared() -> None:
    run = begun()
    run = take(run, run.parts[1], too_large(), [])
    kept = stored_read(ended(run), Organization(), START)

    assert Recipients.USER not in kept.comparable_types()


def test_bypassed_accounts_with_a_warning_are_not_known() -> None:
    run = begun()
    while run.ended_at is None:
        last = run.asked[0].name == "bypassed"
        answer = an_answer(complete=False, warnings=("More results are available.",)) if last else an_answer()
        run = ask_next(take(run, run.asked[0], answer, []), START, ids())

    assert stored_read(run, Organization(), START).bypassed_read is False


def test_a_read_of_very_many_parts_is_not_split_further() -> None:
    """Its row would be too large."""
    run = begun()
    many = [Part(shard=USERS, ended=True, result=an_answer()) for _ in range(MOST_PARTS)]
    run = run.model_copy(update={"parts": (*run.parts, *many)})
    run = take(run, run.parts[1], too_large(), TIMES)

    assert run.parts[1].problem == "the shard has more than 50000 mailboxes"

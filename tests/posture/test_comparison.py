"""A tenant as a whole: order, identity, what is missing of the read."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from bypass_responder.model.exchange_read import Recipients
from bypass_responder.posture import sorted_rows
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import Before, Comparison, compare
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.mailbox import Bypassed, Mailbox
from bypass_responder.posture.packed import mailboxes_by_id
from bypass_responder.posture.read import TenantRead
from bypass_responder.posture.sorted_rows import SortedRows
from bypass_responder.posture.verdict import Audited
from tests.posture.exports.files import ALEX, SWITCHES, as_json
from tests.posture.exports.files import read as exported
from tests.posture.mailboxes import (
    CASES,
    ON,
    SHARED,
    Case,
    a_read,
    bypass_of,
    exchange_guid,
    listed,
    mailbox,
    object_id,
)
from tests.world import START

CASE = {case.what: case for case in CASES}
DEFAULT, ROOM_OFF = CASES[0], CASE["AuditEnabled off for a room"]


def compared(read: TenantRead, **options: object) -> Comparison:
    return compare(read, measures(), **options)  # type: ignore[arg-type]


def keys(found: Comparison) -> list[str]:
    return [row.mailbox.key for row in found.rows]


def five_thousand(seed: int) -> tuple[list[Case], TenantRead]:
    """Copies of the sixty mailboxes, each with its own ids.

    The seed decides their order, and who has whose display name.
    """
    cases = [CASES[number % len(CASES)] for number in range(5000)]
    names = [f"Alex Example {number % 50}" for number in range(5000)]
    order = list(range(5000))
    dice = random.Random(seed)
    dice.shuffle(names)
    dice.shuffle(order)
    read = TenantRead("the worker", organization=ON, bypassed=[])
    read.mailboxes = [mailbox(cases[number], number, name=names[number]) for number in order]
    read.bypassed = [bypass_of(cases[number], number) for number in order if cases[number].bypassed]
    return cases, read


def without_name(row: MailboxPosture) -> MailboxPosture:
    return row._replace(mailbox=row.mailbox._replace(display_name=""))


@pytest.fixture(scope="module")
def in_order() -> list[MailboxPosture]:
    return [without_name(row) for row in compared(five_thousand(0)[1]).rows]


@pytest.mark.parametrize("seed", range(1, 5))
def test_neither_the_order_nor_display_names_change_anything(seed: int, in_order: list[MailboxPosture]) -> None:
    found = compared(five_thousand(seed)[1])

    assert [without_name(row) for row in found.rows] == in_order


def test_each_of_five_thousand_copies_is_judged_like_its_original() -> None:
    cases, read = five_thousand(7)
    expected = {f"user{number}@contoso.com": (case.audited, case.issues) for number, case in enumerate(cases)}

    assert {
        row.mailbox.upn: (row.verdict.audited.value, "; ".join(row.verdict.issues)) for row in compared(read).rows
    } == expected


def test_watched_mailboxes_come_first_then_those_that_others_open_then_the_worst() -> None:
    read = a_read((DEFAULT, ROOM_OFF, DEFAULT._replace(type=SHARED), DEFAULT))

    assert keys(compared(read, watched={object_id(3)})) == [object_id(number) for number in (3, 2, 1, 0)]


@pytest.mark.parametrize("name", [object_id(0), "user0@contoso.com", "sales@contoso.com"])
def test_a_mailbox_is_watched_by_id_or_address(name: str) -> None:
    read = a_read((DEFAULT,))
    read.mailboxes = [listed(read)[0]._replace(address="Sales@contoso.com")]
    found = compared(read, watched={name})

    assert found.rows[0].watched
    assert found.unseen == ()


def test_a_watched_mailbox_that_was_not_read_is_named() -> None:
    assert compared(a_read((DEFAULT,)), watched={"ceo@contoso.com"}).unseen == ("ceo@contoso.com",)


def test_a_bypassed_account_without_a_mailbox_is_listed() -> None:
    read = a_read((DEFAULT,))
    read.bypassed = [Bypassed("0c0c0c0c-0000-4000-8000-000000000001", None, "svc-archive")]
    found = compared(read)

    assert [each.name for each in found.without_mailbox] == ["svc-archive"]
    assert found.bypassed == 1


@pytest.mark.parametrize("account", [Bypassed(object_id(0), None), Bypassed(None, exchange_guid(0))])
def test_a_bypassed_account_with_a_mailbox_is_listed_with_it_alone(account: Bypassed) -> None:
    read = a_read((DEFAULT,))
    read.bypassed = [account]
    found = compared(read)

    assert (found.rows[0].bypassed, found.without_mailbox) == (True, ())


def test_a_display_name_joins_no_bypass() -> None:
    read = a_read((DEFAULT,))
    read.bypassed = [Bypassed("0c0c0c0c-0000-4000-8000-000000000001", None, read.mailboxes[0].display_name)]

    assert compared(read).rows[0].verdict.audited is Audited.YES


def test_a_bypassed_account_without_any_id_makes_the_read_partial() -> None:
    read = a_read((DEFAULT,))
    read.bypassed = [Bypassed(None, None, "Alex Example 0")]
    found = compared(read)

    assert found.partial
    assert "1 bypassed account has no id" in found.problems[0]


@pytest.mark.parametrize(
    ("object_id", "exchange_guid", "account"),
    [("a", None, Bypassed(None, "x")), (None, "a", Bypassed("x", None))],
)
def test_ids_of_two_kinds_are_not_joined_and_the_mailbox_is_not_known(
    object_id: str | None, exchange_guid: str | None, account: Bypassed
) -> None:
    read = a_read((DEFAULT,))
    read.mailboxes = [listed(read)[0]._replace(object_id=object_id, exchange_guid=exchange_guid)]
    read.bypassed = [account]
    found = compared(read)

    assert found.rows[0].bypassed is None
    assert "1 mailbox has no id that every bypassed account has" in found.problems[0]


def test_ids_of_one_kind_on_both_sides_are_joined() -> None:
    read = a_read((DEFAULT,))
    read.mailboxes = [listed(read)[0]._replace(exchange_guid=None)]
    read.bypassed = [Bypassed("0c0c0c0c-0000-4000-8000-000000000001", None, "svc-archive")]
    found = compared(read)

    assert (found.rows[0].bypassed, found.partial) == (False, False)


def off(number: int, value: object = False) -> dict[str, object]:  # noqa: FBT002 - a cell of an export
    """The row of an account in an export of bypasses."""
    return {"Name": f"u{number}", "Guid": exchange_guid(number), "AuditBypassEnabled": value}


def bypassed_of(*bypasses: dict[str, object], **changed: object) -> tuple[list[bool | None], tuple[str, ...]]:
    """What an export of bypasses says of the mailboxes 1 and 2, and the problems of the read."""
    ids = [{"Guid": exchange_guid(number), "ExternalDirectoryObjectId": object_id(number)} for number in (1, 2)]
    mailboxes = as_json([ALEX | changed | each for each in ids])
    found = compared(exported(mailboxes, as_json(list(bypasses)), as_json(SWITCHES)))
    rows = sorted(found.rows, key=lambda row: row.mailbox.key)
    return [row.bypassed for row in rows], found.problems


@pytest.mark.parametrize("rest", [[off(9)], [off(9), off(8, "True")], [off(9, "")]])
def test_a_mailbox_in_no_row_of_an_unfiltered_list_is_not_known_and_the_read_partial(
    rest: list[dict[str, object]],
) -> None:
    bypassed, problems = bypassed_of(off(1), *rest)

    assert bypassed == [False, None]
    assert problems[-1].startswith("1 mailbox is in no row of the list of bypasses")


def test_a_list_of_all_accounts_or_of_the_bypassed_alone_is_complete() -> None:
    assert bypassed_of(off(1), off(2)) == ([False, False], ())
    assert bypassed_of(off(1, value=True)) == ([True, False], ())


def test_a_list_of_bypasses_has_no_groups() -> None:
    assert bypassed_of(off(9), RecipientTypeDetails="GroupMailbox") == ([False, False], ())


@pytest.mark.parametrize("value", ["", None, "PRAVDA"])
def test_a_mailbox_whose_own_bypass_cannot_be_read_is_not_known(value: object) -> None:
    bypassed, problems = bypassed_of(off(1, value), off(2), off(1))

    assert bypassed == [None, False]
    assert len(problems) == 1


def test_a_bypass_that_is_on_in_one_row_is_on_whatever_another_says() -> None:
    assert bypassed_of(off(1, value=True), off(1), off(1, ""), off(2))[0] == [True, False]


def test_beyond_the_default_limit_of_rows_only_those_listed_are_known() -> None:
    on = [off(number, value=True) for number in range(2, 1002)]

    assert bypassed_of(*on)[0] == [None, True]
    assert bypassed_of(*on, off(1002, value=True))[0] == [False, True]


def test_an_account_without_an_id_may_be_any_that_is_not_listed() -> None:
    assert bypassed_of(off(1, value=True), {"Name": "u2", "AuditBypassEnabled": True})[0] == [True, None]


def test_of_one_page_of_bypasses_only_those_listed_are_known() -> None:
    page = as_json({"@odata.nextLink": "https://x", "value": [off(9, value=True)]})
    found = compared(exported(as_json(ALEX), page))

    assert [row.bypassed for row in found.rows] == [None]


def test_a_line_that_cannot_be_read_may_be_of_any_account() -> None:
    line = {"object_id": "no id", "exchange_guid": None, "name": "u1"}
    found = compared(exported(as_json(ALEX), as_json([line, line | {"object_id": object_id(9)}])))

    assert [row.bypassed for row in found.rows] == [None]


def test_all_bypassed() -> None:
    read = a_read(tuple(case for case in CASES if case.ids == "both"))
    read.bypassed = [Bypassed(each.object_id, None) for each in read.mailboxes]
    found = compared(read)

    assert {row.verdict.audited for row in found.rows} == {Audited.NO}
    assert found.without_mailbox == ()


def test_a_mailbox_without_an_id_is_kept_and_makes_the_read_partial() -> None:
    found = compared(a_read((CASE["without any id"],)))

    assert len(found.rows) == 1
    assert "1 mailbox has no id" in found.problems[0]


def test_two_mailboxes_with_one_id_are_kept_and_make_the_read_partial() -> None:
    read = a_read((DEFAULT, ROOM_OFF))
    listed(read)[1] = read.mailboxes[1]._replace(object_id=object_id(0))
    found = compared(read)

    assert len(found.rows) == 2
    assert found.problems == (f"1 ids have several mailboxes: {object_id(0)}",)


def test_a_mailbox_that_was_read_twice_counts_once_and_makes_the_read_partial() -> None:
    read = a_read((DEFAULT,))
    read.mailboxes = listed(read) * 2
    found = compared(read)

    assert len(found.rows) == 1
    assert "overlap" in found.problems[0]


def in_files(mailboxes: Iterable[Mailbox]) -> SortedRows[Mailbox]:
    """The mailboxes as a read of the worker has them."""
    rows = mailboxes_by_id()
    rows.extend(mailboxes)
    return rows


@pytest.mark.parametrize("seed", range(20))
def test_beyond_what_memory_holds_the_comparison_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read, doubled = a_read(), mailbox(DEFAULT, 0)._replace(display_name="another")
    earlier = [mailbox(DEFAULT, number) for number in range(0, 90, 2)]
    mailboxes = [*listed(read), doubled, *listed(read)[:2]]
    expected = compared(replace(read, mailboxes=mailboxes), before=Before(START, earlier))
    monkeypatch.setattr(sorted_rows, "MOST_HELD", 7)
    random.Random(seed).shuffle(mailboxes)
    found = compared(replace(read, mailboxes=in_files(mailboxes)), before=Before(START, in_files(earlier)))

    assert list(found.rows) == list(expected.rows)
    assert replace(found, rows=()) == replace(expected, rows=())
    assert (len(found.gone), len(found.problems)) == (16, len(expected.problems))


@pytest.mark.parametrize("lost", ["mailboxes", "bypassed", "organization"])
def test_what_was_not_read_makes_it_partial_and_is_named(lost: str) -> None:
    read = a_read((DEFAULT,))
    setattr(read, lost, type(ON)() if lost == "organization" else [] if lost == "mailboxes" else None)
    [problem] = compared(read).problems

    assert "Get-" in problem


def before(*mailboxes: Mailbox) -> Before:
    return Before(None, [*mailboxes])


def test_a_mailbox_that_the_read_before_lacks_is_new() -> None:
    found = compared(a_read((DEFAULT, DEFAULT)), before=before(mailbox(DEFAULT, 0)))

    assert [(row.mailbox.key, row.new) for row in found.rows] == [(object_id(0), False), (object_id(1), True)]


def test_without_a_read_before_nothing_is_new() -> None:
    assert not compared(a_read((DEFAULT,))).rows[0].new


def test_a_mailbox_that_is_no_more_there_is_gone() -> None:
    assert compared(a_read((DEFAULT,)), before=before(mailbox(DEFAULT, 0), mailbox(DEFAULT, 1))).gone == (object_id(1),)


def test_a_change_since_the_read_before_is_set_apart() -> None:
    found = compared(a_read((CASE["the owner does not record reads"],)), before=before(mailbox(DEFAULT, 0)))

    assert [str(each) for each in found.rows[0].changed] == ["DefaultAuditSet -Owner", "AuditOwner -MailItemsAccessed"]


def test_a_mailbox_without_an_object_id_goes_by_its_exchange_guid() -> None:
    known = before(mailbox(CASE["without an object id"], 0))

    assert [each.key for each in known.mailboxes] == [exchange_guid(0)]
    assert not compared(a_read((CASE["without an object id"],)), before=known).rows[0].new


def test_only_a_type_that_was_read_whole_has_new_and_gone_mailboxes() -> None:
    shared = CASE["a shared mailbox with the default set"]
    known = before(mailbox(DEFAULT, 5), mailbox(shared, 6))._replace(whole=frozenset({Recipients.USER}))
    read = replace(a_read((DEFAULT, shared)), whole=frozenset({Recipients.SHARED}))
    found = compared(read, before=known)

    assert {row.mailbox.type: row.new for row in found.rows} == {"UserMailbox": True, "SharedMailbox": False}
    assert found.gone == (object_id(6),)


def test_mailboxes_without_an_id_are_neither_compared_with_another_nor_gone() -> None:
    nameless, other = CASE["without any id"], CASE["the owner does not record reads"]
    known = before(mailbox(other, 0)._replace(object_id=None, exchange_guid=None))
    found = compared(a_read((nameless,)), before=known)
    without = compared(a_read((DEFAULT,)), before=known)

    assert (found.rows[0].new, found.rows[0].changed, found.gone, without.gone) == (True, (), (), ())


def test_what_had_two_mailboxes_is_gone_only_where_both_types_were_read_whole() -> None:
    shared = CASE["a shared mailbox with the default set"]
    known = before(mailbox(DEFAULT, 5), mailbox(shared, 5))
    read = a_read((DEFAULT,))
    partly = compared(replace(read, whole=frozenset({Recipients.SHARED})), before=known)
    whole = compared(replace(read, whole=frozenset({Recipients.SHARED, Recipients.USER})), before=known)

    assert (partly.gone, whole.gone) == ((), (object_id(5),))

"""Which permissions were granted for a while only, and which only seem so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.tampering.permissions import WITHIN
from bypass_responder.tampering.short_grants import removed_soon
from tests.sensing.builders import Json
from tests.tampering.family import ALEX, ran
from tests.tampering.test_permissions import CEO, EVE, NOON, a_change, found_in, on_folder, on_mailbox


def day_by_day(*records: Json) -> list[PermissionChange]:
    """The changes of records, the first at noon, each a day after the one before."""
    dated = [
        record | {"CreationTime": f"{NOON + timedelta(days=day):%Y-%m-%dT%H:%M:%S}", "Id": f"r{day}"}
        for day, record in enumerate(records)
    ]
    return [change for record in dated for change in found_in(record)]


def update(*members: str) -> Json:
    return ran("Update-RoleGroupMember", "Tools", Members=";".join(members))


def on_default(verb: str, rights: str) -> Json:
    return ran(f"{verb}-MailboxFolderPermission", Identity="ceo:\\Inbox", User="Default", AccessRights=rights)


FULL = {"AccessRights": "FullAccess"}
ADD, REMOVE = on_mailbox("Add", **FULL), on_mailbox("Remove", **FULL)
DENY = on_mailbox("Add", Deny="True", **FULL)
INBOX = {"Identity": "ceo:\\Inbox"}
MADE = ran("New-RoleGroup", Name="Tools", Roles="Journaling", Members=EVE)
JOINED, LEFT = (ran(f"{verb}-RoleGroupMember", "Tools", Member=EVE) for verb in ("Add", "Remove"))
TAKEN = {
    "reset": (ADD, ran("Remove-MailboxPermission", CEO, ResetDefault="True")),
    "owner": (ran("Add-MailboxPermission", CEO, Owner=EVE), REMOVE),
    "owner, then another": (
        ran("Add-MailboxPermission", CEO, Owner=EVE),
        ran("Add-MailboxPermission", CEO, Owner=ALEX),
    ),
    "denied": (ADD, DENY),
    "group removed": (MADE, ran("Remove-RoleGroup", "Tools")),
    "member of a removed group": (JOINED, ran("Remove-RoleGroup", "Tools")),
    "left out of a later list": (update(ALEX), update(ALEX, EVE), update(ALEX)),
    "added by a list": (update(ALEX), update(ALEX, EVE), LEFT),
    "folder, spelled otherwise": (
        on_folder("Add", **INBOX, AccessRights="Owner"),
        on_folder("Remove", Identity="ceo:Inbox"),
    ),
    "root": (on_folder("Add", Identity="ceo:\\", AccessRights="Owner"), on_folder("Remove", Identity="ceo")),
    "everybody": (on_default("Set", "Reviewer"), on_default("Set", "None")),
    "given again": (
        on_folder("Remove", **INBOX),
        on_folder("Set", **INBOX, AccessRights="Owner"),
        on_folder("Remove", **INBOX),
    ),
}
KEPT = {
    "only kept by a list": (update(EVE, ALEX), LEFT),
    "kept by two lists": (update(EVE), update(EVE, ALEX), LEFT),
    "added under another name than the list has": (JOINED, update("Eve Adams")),
    "an old right lowered": (on_folder("Set", **INBOX, AccessRights="Reviewer"), on_folder("Remove", **INBOX)),
    "a denial": (DENY, REMOVE),
    "SendAs is no right that is reset": (
        ran("Add-RecipientPermission", CEO, Trustee=EVE, AccessRights="SendAs"),
        ran("Remove-MailboxPermission", CEO, ResetDefault="True"),
    ),
    "another group": (MADE, ran("Remove-RoleGroup", "Others")),
}


@pytest.mark.parametrize("records", TAKEN.values(), ids=TAKEN)
def test_what_was_given_and_is_taken_away_is_found_once(records: tuple[Json, ...]) -> None:
    [found] = removed_soon(day_by_day(*records))

    assert (found.grant.trustee, found.removal.trustee) in {(EVE, EVE), ("Default", "Default")}
    assert found.grant.occurred_at < found.removal.occurred_at


@pytest.mark.parametrize("records", KEPT.values(), ids=KEPT)
def test_what_was_there_before_is_not(records: tuple[Json, ...]) -> None:
    assert removed_soon(day_by_day(*records)) == []


def test_a_list_that_was_too_long_to_keep_takes_from_nobody() -> None:
    later = update(*(f"user{number:05}" for number in range(5000)))

    assert removed_soon(day_by_day(update(ALEX), update(EVE), later)) == []


def test_a_removal_in_the_second_of_a_grant_is_before_it() -> None:
    assert removed_soon([a_change(granted=granted, record_id=str(granted)) for granted in (True, False)]) == []


def test_two_removals_of_one_grant_are_one() -> None:
    assert len(removed_soon(day_by_day(ADD, REMOVE, REMOVE))) == 1


def test_letter_case_makes_no_difference() -> None:
    removal = a_change(granted=False, at=NOON + timedelta(hours=1), target="CEO", trustee=EVE.upper())

    assert len(removed_soon([a_change(granted=True), removal])) == 1


@pytest.mark.parametrize("field", ["right", "target", "trustee"])
def test_another_right_mailbox_or_trustee_is_another_pair(field: str) -> None:
    removal = a_change(granted=False, at=NOON + timedelta(hours=1), **{field: "another"})

    assert removed_soon([a_change(granted=True), removal]) == []


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (timedelta(seconds=1), 1),
        (timedelta(hours=1), 1),
        (WITHIN, 1),
        (WITHIN + timedelta(seconds=1), 0),
        (-timedelta(1), 0),
    ],
)
def test_a_removal_counts_within_seven_days_after_the_grant(after: timedelta, found: int) -> None:
    changes = [a_change(granted=True), a_change(granted=False, at=NOON + after)]

    assert len(removed_soon(changes)) == found


def test_a_removal_is_of_the_last_grant_before_it() -> None:
    grants = [a_change(granted=True, at=NOON + timedelta(hours=hours)) for hours in (0, 2, 4)]
    [found] = removed_soon([*grants, a_change(granted=False, at=NOON + timedelta(hours=3))])

    assert found.grant is grants[1]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20 * 24)), max_size=8, unique=True).flatmap(
        lambda some: st.tuples(st.just(some), st.permutations(some))
    )
)
def test_the_order_of_records_never_matters(orders: tuple[list[tuple[bool, int]], list[tuple[bool, int]]]) -> None:
    sorted_, other = (
        [a_change(granted=granted, at=NOON + timedelta(hours=hours)) for granted, hours in order] for order in orders
    )

    assert removed_soon(sorted_) == removed_soon(other)

"""What a mailbox loses, by the values of Set-Mailbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.change import AuditTampering
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.mailbox import DEFAULT_ACTIONS
from tests.sensing.builders import TARGET
from tests.tampering.family import ALEX, ran
from tests.tampering.test_family import found_in

LISTS = sorted(DEFAULT_ACTIONS)
OWNER = sorted(DEFAULT_ACTIONS["AuditOwner"])
HARMLESS = {
    "the list as a shell prints it": f"{{{', '.join(OWNER)}}}",
    "the list with blanks": " ".join(OWNER),
    "the list with line breaks": "\r\n".join(OWNER),
    "the list in single quotes": f"@({','.join(map(repr, OWNER))})",
    "the list as JSON": OWNER,
    "additions as JSON": ["+Update", "+Send"],
    "a table": '@{Add="MailItemsAccessed"}',
    "a table of several": "@{ 'add' = 'MailItemsAccessed', 'Send' }",
    "a table as JSON": {"Add": ["Send", "Update"]},
    "a table as JSON text": '{"Add": "Update"}',
    "a table that adds again": '@{Remove="Update";Add="Update"}',
}
SHORTER = {
    "a table": ('@{Add="Send";Remove="Update","HardDelete"}', "HardDelete, Update"),
    "a table as JSON": ({"remove": ["Update"], "Add": ["Send"]}, "Update"),
    "the list as a shell prints it": (f"{{{', '.join(OWNER[1:])}}}", OWNER[0]),
    "the list with blanks": (" ".join(OWNER[1:]), OWNER[0]),
    "removals as JSON": (["+Send", "-Update"], "Update"),
    "a null": (None, ", ".join(OWNER)),
    "a variable that is null": ("$null", ", ".join(OWNER)),
}


@pytest.mark.parametrize("value", HARMLESS.values(), ids=HARMLESS)
def test_a_value_that_takes_nothing_out_is_nothing(value: object) -> None:
    assert change(AuditOwner=value) == []


@pytest.mark.parametrize(("value", "lost"), SHORTER.values(), ids=SHORTER)
def test_a_value_in_any_form_names_what_is_lost(value: object, lost: str) -> None:
    [found] = change(AuditOwner=value)

    assert found.extent == f"AuditOwner without {lost}"


def change(**parameters: object) -> list[AuditTampering]:
    return found_in(ran("Set-Mailbox", TARGET, Identity=ALEX, **parameters))


@pytest.mark.parametrize("parameter", LISTS)
def test_an_action_that_is_taken_out_is_named(parameter: str) -> None:
    [found] = change(**{parameter: "+ApplyRecord;-Update"})

    assert (found.parameter, found.target, found.extent) == (parameter, ALEX, f"{parameter} without Update")


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize("separator", [";", ",", "; "])
def test_a_list_with_all_default_actions_loses_nothing(parameter: str, separator: str) -> None:
    assert change(**{parameter: separator.join(sorted(DEFAULT_ACTIONS[parameter]))}) == []


@pytest.mark.parametrize("value", ["", "None", "Update;SendAs"])
def test_a_shorter_list_in_place_of_the_old_one_loses_default_actions(value: str) -> None:
    [found] = change(AuditDelegate=value)

    assert (found.technique, "MailItemsAccessed" in found.extent) == (Technique.ACTION_LIST, True)


def test_several_lists_are_one_change() -> None:
    [found] = change(AuditAdmin="-Copy", AuditOwner="-Update")

    assert found.extent == "AuditAdmin without Copy; AuditOwner without Update"


def test_an_action_that_is_taken_out_and_added_again_is_not_lost() -> None:
    assert change(AuditOwner="-Update;+update") == []


@given(st.sampled_from(LISTS), st.data())
def test_order_and_case_of_a_list_never_change_the_result(parameter: str, data: st.DataObject) -> None:
    actions = data.draw(st.permutations(sorted(DEFAULT_ACTIONS[parameter])))
    spelled = [data.draw(st.sampled_from((action.upper(), action.lower(), action))) for action in actions]

    assert change(**{parameter: ";".join(spelled)}) == []
    assert len(change(**{parameter: ";".join(spelled[1:])})) == 1


@pytest.mark.parametrize(
    ("value", "is_short"),
    [
        *[("00:00:00", True), ("1.00:00:00", True), ("89.23:59:59", True), ("30", True)],
        *[("90.00:00:00", False), ("365.00:00:00", False), ("180", False), ("", False), ("soon", False)],
    ],
)
def test_a_limit_below_the_default_is_short(value: str, *, is_short: bool) -> None:
    assert bool(change(AuditLogAgeLimit=value)) is is_short


@pytest.mark.parametrize(("value", "is_off"), [("False", True), ("$false", True), ("0", True), ("True", False)])
def test_auditing_of_a_mailbox_is_off_by_value(value: str, *, is_off: bool) -> None:
    assert bool(change(AuditEnabled=value)) is is_off


@pytest.mark.timeout(20)
def test_a_long_value_is_read_in_linear_time() -> None:
    [found] = change(AuditOwner=f"-Update;+{' ' * 1_000_000};")

    assert found.extent == "AuditOwner without Update"

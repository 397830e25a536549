"""Whether a mailbox is still audited less, as a read of all mailboxes shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.health import LONGEST_TEXT
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.technique import Technique
from bypass_responder.posture.baseline import License
from bypass_responder.posture.mailbox import Audit, Mailbox
from bypass_responder.posture.tampered import read_backs
from tests.case.test_tampering_state import changed
from tests.posture.mailboxes import ADMIN, ALL, DELEGATE, OWNER, without
from tests.sensing.builders import TARGET
from tests.tampering.family import ALEX, FAMILY, ran
from tests.world import START

READ_AT = START + timedelta(hours=1)
STILL, UNDONE, UNKNOWN = Persists.STILL_SO, Persists.UNDONE, Persists.UNKNOWN
DEFAULT = Audit(enabled=True, age_limit="90.00:00:00", default_set=ALL, admin=ADMIN, delegate=DELEGATE, owner=OWNER)


def a_mailbox(license: License = License.PREMIUM, **audit: Any) -> Mailbox:  # noqa: A002 - the field's name
    return Mailbox(TARGET, None, upn=ALEX.upper(), license=license, audit=DEFAULT._replace(**audit))


def shown(technique: Technique, *mailboxes: Mailbox, partial: bool = False, **fields: Any) -> ReadBack:
    row = changed(FAMILY[technique].positive, **fields)
    return read_backs([row], mailboxes, READ_AT, partial=partial)[row.id]


LACKS_ONE = without(OWNER, "Update")
ROWS = [
    (Technique.ACTION_LIST, a_mailbox(), UNDONE, "the actions are in the lists again"),
    (Technique.ACTION_LIST, a_mailbox(owner=LACKS_ONE), STILL, "AuditOwner lacks Update"),
    (Technique.ACTION_LIST, a_mailbox(owner=()), STILL, "AuditOwner lacks MoveToDeletedItems, Update"),
    (Technique.ACTION_LIST, a_mailbox(owner=None), UNKNOWN, "AuditOwner was not read"),
    (Technique.ACTION_LIST, a_mailbox(admin=(), delegate=None), UNDONE, "the actions are in the lists again"),
    (Technique.AGE_LIMIT, a_mailbox(age_limit="1.00:00:00"), STILL, "AuditLogAgeLimit is 1 days"),
    (Technique.AGE_LIMIT, a_mailbox(age_limit="00:00:00"), STILL, "AuditLogAgeLimit is 0 days"),
    (Technique.AGE_LIMIT, a_mailbox(), UNDONE, "AuditLogAgeLimit is 90 days"),
    (Technique.AGE_LIMIT, a_mailbox(age_limit=None), UNKNOWN, "AuditLogAgeLimit is not read"),
    (Technique.AUDIT_ENABLED, a_mailbox(enabled=False), STILL, "AuditEnabled is False"),
    (Technique.AUDIT_ENABLED, a_mailbox(), UNDONE, "AuditEnabled is True"),
    (Technique.AUDIT_ENABLED, a_mailbox(enabled=None), UNKNOWN, "AuditEnabled is not read"),
    (Technique.LICENSE, a_mailbox(), UNDONE, "the mailbox has Audit (Premium)"),
    (Technique.LICENSE, a_mailbox(License.STANDARD), STILL, "the mailbox does not have Audit (Premium)"),
    (
        Technique.LICENSE,
        a_mailbox(License.UNKNOWN),
        UNKNOWN,
        "the mailbox has no capabilities that show whether it has Audit (Premium)",
    ),
]


@pytest.mark.parametrize(("technique", "mailbox", "state", "detail"), ROWS)
def test_a_change_of_a_mailbox_is_what_the_read_shows(
    technique: Technique, mailbox: Mailbox, state: Persists, detail: str
) -> None:
    assert shown(technique, mailbox) == ReadBack(state=state, read_at=READ_AT, detail=detail)


@pytest.mark.parametrize("name", [ALEX, TARGET.upper(), f"contoso.onmicrosoft.com/{TARGET}"])
def test_a_mailbox_is_found_by_id_and_address_in_any_case(name: str) -> None:
    assert shown(Technique.AUDIT_ENABLED, a_mailbox(), target=name).state is UNDONE


@pytest.mark.parametrize(
    ("mailboxes", "partial", "detail"),
    [
        ([], False, "found no mailbox with this id, user principal name or address"),
        ([], True, "the read, which was partial, has no mailbox with this id, user principal name or address"),
        ([a_mailbox()] * 2, False, "found 2 mailboxes with this id, user principal name or address"),
    ],
)
def test_what_is_not_exactly_one_mailbox_is_unknown(mailboxes: list[Mailbox], partial: bool, detail: str) -> None:
    seen = shown(Technique.AUDIT_ENABLED, *mailboxes, partial=partial)

    assert (seen.state, seen.detail) == (UNKNOWN, detail)


def test_a_display_name_is_no_identity() -> None:
    named = a_mailbox()._replace(display_name="Alex", upn="", address="", object_id=None)

    assert shown(Technique.AUDIT_ENABLED, named, target="Alex").state is UNKNOWN


CUT = f"AuditOwner without {'Update, ' * 100}"[: LONGEST_TEXT - 3] + "Mov"


@pytest.mark.parametrize(
    ("owner", "state"), [(OWNER, UNKNOWN), (without(OWNER, "Mov"), UNKNOWN), (without(OWNER, "Update"), STILL)]
)
def test_of_a_list_that_was_cut_nothing_is_undone(owner: tuple[str, ...], state: Persists) -> None:
    assert shown(Technique.ACTION_LIST, a_mailbox(owner=owner), extent=CUT).state is state


BOSS = Mailbox("11111111-2222-4333-8444-555555555555", None, upn="boss@contoso.com", audit=DEFAULT._replace(owner=()))
OTHER = Mailbox(TARGET, None, upn=ALEX, audit=DEFAULT)


def of_both(object_id: str, identity: str) -> ReadBack:
    row = changed(ran("Set-Mailbox", object_id, Identity=identity, AuditOwner="-Update"))
    return read_backs([row], [BOSS, OTHER], READ_AT, partial=False)[row.id]


def test_names_that_belong_to_two_mailboxes_by_now_are_unknown() -> None:
    seen = of_both(BOSS.key, ALEX)

    assert seen.state is UNKNOWN
    assert seen.detail == f"the record names {BOSS.key} and {ALEX}, which belong to different mailboxes"


def test_a_mailbox_is_found_by_what_the_service_names_though_the_typed_name_is_gone() -> None:
    assert of_both(BOSS.key, "gone@contoso.com").state is STILL


def test_a_typed_name_alone_never_shows_that_it_is_undone() -> None:
    seen = of_both("The boss", ALEX)

    assert seen.state is UNKNOWN
    assert seen.detail.endswith("but the record is of The boss, which was not found")


@pytest.mark.parametrize(
    ("object_id", "identity"), [("The boss", TARGET), ("", ALEX), ("x/The boss", "boss@contoso.com")]
)
def test_an_id_a_record_without_an_object_and_what_is_still_so_are_certain(object_id: str, identity: str) -> None:
    assert of_both(object_id, identity).state is (STILL if "boss" in identity else UNDONE)


def test_a_read_before_the_change_shows_nothing() -> None:
    row = changed(FAMILY[Technique.AUDIT_ENABLED].positive, occurred_at=READ_AT)

    assert read_backs([row], [a_mailbox()], READ_AT, partial=False) == {}


@pytest.mark.parametrize("technique", [Technique.ORGANIZATION_OFF, Technique.RETENTION])
def test_what_is_not_of_a_mailbox_is_left_out(technique: Technique) -> None:
    assert read_backs([changed(FAMILY[technique].positive)], [a_mailbox()], READ_AT, partial=False) == {}


def test_every_list_that_lost_actions_is_compared() -> None:
    row = changed(ran("Set-Mailbox", TARGET, Identity=ALEX, AuditAdmin="-Update", AuditDelegate="-SendAs"))
    seen = read_backs([row], [a_mailbox(admin=without(ADMIN, "Update"), delegate=())], READ_AT, partial=False)

    assert seen[row.id].detail == "AuditAdmin lacks Update; AuditDelegate lacks SendAs"

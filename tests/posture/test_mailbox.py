"""Lines of the worker: what is read of them, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bypass_responder.errors import InputError
from bypass_responder.model.mailbox_audit import AuditSettings, MailboxRow
from bypass_responder.posture.baseline import License
from bypass_responder.posture.mailbox import Audit, Bypassed, Mailbox, MailboxReader
from bypass_responder.posture.read import TenantRead, read_line
from tests.posture.mailboxes import ADMIN, ALL, DELEGATE, OWNER, exchange_guid, object_id

ROW = MailboxRow(
    object_id=object_id(1),
    exchange_guid=exchange_guid(1),
    upn="alex@contoso.com",
    address="alex@contoso.com",
    display_name="Alex",
    type="SharedMailbox",
    created_at="2026-01-02T03:04:05Z",
    capabilities=("BPOS_S_EquivioAnalytics",),
    audit=AuditSettings(
        enabled=True, age_limit="90.00:00:00", default_set=ALL, admin=ADMIN, delegate=DELEGATE, owner=OWNER
    ),
)


def a_line(**changed: Any) -> bytes:
    return json.dumps(json.loads(ROW.model_dump_json()) | changed).encode()


def read(line: bytes) -> Mailbox | Bypassed:
    return MailboxReader().line(line)


def test_a_row_of_the_contract_is_read_whole() -> None:
    found = read(ROW.model_dump_json().encode())

    assert isinstance(found, Mailbox)
    assert found[:7] == (
        ROW.object_id,
        ROW.exchange_guid,
        ROW.upn,
        ROW.address,
        "Alex",
        ROW.type,
        "2026-01-02T03:04:05Z",
    )
    assert found.audit._asdict() == dict(ROW.audit)
    assert found.license is License.PREMIUM
    assert found.delegated


@pytest.mark.parametrize(("capabilities", "license_"), [([], License.UNKNOWN), (["BPOS_S_Standard"], License.STANDARD)])
def test_the_license_follows_from_the_capabilities(capabilities: list[str], license_: License) -> None:
    found = read(a_line(capabilities=capabilities))

    assert isinstance(found, Mailbox)
    assert found.license is license_


def test_a_bypassed_account_is_read() -> None:
    line = json.dumps({"object_id": None, "exchange_guid": exchange_guid(2), "name": "svc"}).encode()

    assert read(line) == Bypassed(None, exchange_guid(2), "svc")


def test_equal_settings_are_kept_once() -> None:
    reader = MailboxReader()
    one, other = reader.line(a_line()), reader.line(a_line(object_id=object_id(2)))

    assert isinstance(one, Mailbox)
    assert isinstance(other, Mailbox)
    assert one.audit is other.audit


COMPACT = a_line().replace(b": ", b":").replace(b", ", b",")
"""As the worker writes it."""


def heads() -> list[bytes]:
    head = COMPACT.partition(b',"audit":')[0]
    named = json.dumps('x,"audit":{"enabled":false}').encode()
    return [
        *(
            head,
            head.replace(b"UserMailbox", b"SharedMailbox"),
            head.replace(b'"display_name":"', b'"x":1,"display_name":"'),
        ),
        re.sub(rb'"display_name":"[^"]*"', lambda _: b'"display_name":' + named, head),
        *(b"{", b"[", b"", head[1:], head + b",", head + b"}", head + b',"nested":{"a":1', head[:-9], b"\xff" + head),
    ]


@pytest.mark.parametrize("head", heads())
def test_a_line_whose_settings_were_read_before_is_read_as_if_alone(head: bytes) -> None:
    reader = MailboxReader()
    reader.line(COMPACT)
    line = head + b',"audit":' + COMPACT.partition(b',"audit":')[2]

    assert outcome(reader, line) == outcome(MailboxReader(), line)


def outcome(reader: MailboxReader, line: bytes) -> object:
    try:
        return reader.line(line)
    except InputError as error:
        return error.reason


def test_a_property_behind_the_settings_is_read_too() -> None:
    reader = MailboxReader()
    lines = [COMPACT[:-1] + b',"upn":"%d@contoso.com"}' % number for number in range(2)]
    found = [reader.line(line) for line in lines for _ in range(2)]

    assert [each.upn for each in found if isinstance(each, Mailbox)] == [
        f"{number}@contoso.com" for number in (0, 0, 1, 1)
    ]


AUDIT = json.loads(ROW.model_dump_json())["audit"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"{} {}",
        b"\xff",
        b"[" * 100_000,
        a_line(object_id="alex"),
        a_line(object_id=7),
        a_line(display_name=None),
        a_line(type=["UserMailbox"]),
        a_line(audit=None),
        a_line(audit=AUDIT | {"owner": "Update"}),
        a_line(audit=AUDIT | {"owner": [["Update"]]}),
        a_line(audit=AUDIT | {"owner": [1]}),
        a_line(audit=AUDIT | {"enabled": "False"}),
        a_line(audit=AUDIT | {"age_limit": 90}),
        a_line() + a_line(),
    ],
)
def test_a_line_that_is_no_mailbox_makes_the_read_partial(line: bytes) -> None:
    into = TenantRead("the worker")
    read_line(line, into, MailboxReader())

    assert into.mailboxes == []
    assert len(into.problems) == 1


def test_equal_lists_of_different_settings_are_kept_once() -> None:
    reader, words = MailboxReader(), ["Send"]
    first, second = (reader.settings(Audit(age_limit=limit, admin=tuple(words))) for limit in ("1", "2"))

    assert first is not second
    assert first.admin is second.admin


def test_a_line_that_is_no_mailbox_is_refused() -> None:
    with pytest.raises(InputError, match="posture_row"):
        read(b"{}")


def test_many_problems_are_named_up_to_a_number() -> None:
    into = TenantRead("the worker")
    for _ in range(1000):
        read_line(b"{}", into, MailboxReader())

    assert len(into.problems) == 21
    assert into.problems[-1] == "… and more"

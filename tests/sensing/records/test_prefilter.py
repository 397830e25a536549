r"""The bytes prefilter never says no to a record of interest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.sensing.records.prefilter import Prefilter, may_be_bypass, may_matter, names_cmdlet
from tests.sensing.builders import SHAPES, a_bypass, a_tampering

NAMES = (
    *("Set-MailboxAuditBypassAssociation", "AuditBypassEnabled"),
    *("Set-OrganizationConfig", "UnifiedAuditLogIngestionEnabled"),
    *("AuditOwner", "AuditDelegate", "AuditAdmin", "AuditEnabled", "AuditLogAgeLimit", "AssignedLicense"),
    *("New-RoleGroup", "Add-ManagementRoleEntry", "Remove-ServicePrincipal", "Set-UnifiedAuditLogRetentionPolicy"),
    *("Add-MailboxPermission", "Remove-RecipientPermission", "Set-MailboxFolderPermission"),
    *("Remove app role assignment from service principal.", "Microsoft.Insights/diagnosticSettings/delete"),
)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_a_record_passes(shape: Any) -> None:
    assert may_matter(shape(a_bypass()))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_plain_text_passes(name: str) -> None:
    assert may_matter(f'{{"Operation":"{name}"}}'.encode())


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_bypass_may_be_one(name: str) -> None:
    assert may_be_bypass(f'{{"Operation":"{name}"}}'.encode())


@pytest.mark.parametrize("name", NAMES[2:])
def test_another_way_of_the_family_is_no_bypass(name: str) -> None:
    assert not may_be_bypass(f'{{"Operation":"{name}"}}'.encode())


@pytest.mark.parametrize("name", NAMES[:4])
def test_the_bypass_and_the_switches_are_named(name: str) -> None:
    assert names_cmdlet(name.encode())


@pytest.mark.parametrize("name", NAMES[4:])
def test_another_name_of_the_family_names_no_bypass(name: str) -> None:
    assert not names_cmdlet(name.encode())


def test_tampering_passes() -> None:
    assert may_matter(json.dumps(a_tampering()).encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"Operation":"Set-Mailbox","Parameters":[{"Name":"AuditSeverity","Value":"DoNotAudit"}]}',
        '{"UserId":"ServicePrincipal_0a0a0a0a","ExtendedProperties":[{"Name":"extendedAuditEventCategory"}]}',
        '{"Operation":"Set-AdminAuditLogConfig","Parameters":[{"Name":"AdminAuditLogEnabled","Value":"True"}]}',
        '{"Operation":"UpdateFolderPermissions","Folder":{"MemberRights":"ReadAny, Visible"}}',
        r'{"InternetMessageId":"\u003ca\u0026b\u0027\u003e\u00e9\u2019"}',
    ],
)
def test_other_records_do_not_pass(text: str) -> None:
    assert not may_matter(text.encode())


@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_escaping_hides_a_name(name: str, data: st.DataObject) -> None:
    """Any letter may be escaped, in either case, and the JSON may be nested in JSON strings."""
    text = _escaped(data, data.draw(st.sampled_from((name, name.upper(), name.lower()))))
    for _ in range(data.draw(st.integers(0, 2))):
        text = _escaped(data, text)

    assert may_matter(f'{{"Operation":"{text}"}}'.encode())
    assert may_be_bypass(f'{{"Operation":"{text}"}}'.encode()) or name not in NAMES[:2]


def _escaped(data: st.DataObject, text: str) -> str:
    def spelled(char: str) -> str:
        must = char in '"\\'
        form = data.draw(st.sampled_from(("plain", "lower", "upper")))
        if form == "plain":
            return json.dumps(char)[1:-1] if must else char
        return f"\\u{ord(char):04x}" if form == "lower" else f"\\u{ord(char):04X}"

    return "".join(map(spelled, text))


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_text_that_cannot_be_judged_passes(mark: bytes) -> None:
    assert may_matter(mark + b"\x41\x42")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_passes(encoding: str) -> None:
    assert may_matter(json.dumps([a_bypass()]).encode(encoding))


@given(data=st.data())
def test_a_name_cut_by_a_chunks_end_is_seen(data: st.DataObject) -> None:
    blob = b"x" * 100 + json.dumps(a_bypass()).encode()
    prefilter = Prefilter()
    rest = blob
    while rest:
        size = data.draw(st.integers(1, 40))
        prefilter.feed(rest[:size])
        rest = rest[size:]

    assert prefilter.matched


def test_chunks_without_a_name_do_not_match() -> None:
    prefilter = Prefilter()

    assert not any(prefilter.feed(chunk) for chunk in (b"set-mailboxaudit", b"x", b"bypassassociation"))

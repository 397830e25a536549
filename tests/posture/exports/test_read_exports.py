"""Whatever tool exported the mailboxes, they are read the same; what was lost on the way is named."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from bypass_responder.errors import InputError
from bypass_responder.posture.baseline import License
from bypass_responder.posture.mailbox import Audit, Bypassed
from tests.posture.exports.files import ALEX, BYPASSES, SWITCHES, as_csv, as_json, read, the_mailbox
from tests.posture.mailboxes import ADMIN, ALL, DELEGATE, OWNER, exchange_guid, object_id

EXPECTED = Audit(True, "90.00:00:00", ALL, ADMIN, DELEGATE, OWNER)  # noqa: FBT003 - a property of Exchange
GERMAN = {
    "Anzeigename": ALEX["DisplayName"],
    "Benutzerprinzipalname": ALEX["UserPrincipalName"],
    "Objekt-ID": ALEX["ExternalDirectoryObjectId"],
    "Empfängertypdetails": ALEX["RecipientTypeDetails"],
    "Überwachung aktiviert": "WAHR",
    **{
        name: ALEX[name]
        for name in ("AuditLogAgeLimit", "DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner")
    },
}
TICKS = {"Ticks": 77760000000000, "Days": 90, "TotalDays": 90}


@pytest.mark.parametrize(
    "data",
    [
        as_json([ALEX]),
        as_json(ALEX),
        as_json({"value": [ALEX], "Count": 1}),
        as_json(ALEX) + b"\n",
        json.dumps([ALEX]).encode("utf-16"),
        json.dumps([ALEX]).encode("utf-8-sig"),
        as_json(ALEX | {"AuditOwner": {"value": list(OWNER), "Count": 10}}),
        as_json(ALEX | {"AuditOwner": ", ".join(OWNER)}),
        as_json(ALEX | {"AuditLogAgeLimit": TICKS}),
        as_json(ALEX | {"AuditEnabled": "True"}),
        as_json({name.lower(): value for name, value in ALEX.items()}),
        as_csv(ALEX),
        as_csv(ALEX, encoding="utf-16"),
        as_csv(ALEX, encoding="utf-16-be"),
        as_csv(ALEX, delimiter=";"),
        as_csv(ALEX, delimiter="\t", encoding="utf-16-le"),
        as_csv(ALEX, separator=";"),
        as_csv(ALEX, separator="|"),
        as_csv(ALEX, separator="\n"),
        as_csv(ALEX | {"AuditOwner": "{" + ", ".join(OWNER) + "}"}),
        b"#TYPE Selected.Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n" + as_csv(ALEX),
        b"sep=;\r\n" + as_csv(ALEX, delimiter=";"),
        as_csv(GERMAN, delimiter=";", encoding="utf-16"),
        as_csv({name.upper().replace("AUDIT", "AUDIT "): value for name, value in ALEX.items()}),
    ],
)
def test_a_mailbox_is_read_from_every_form(data: bytes) -> None:
    found = the_mailbox(data)

    assert (found.object_id, found.upn, found.type) == (object_id(1), "alex@contoso.com", "UserMailbox")
    assert found.audit == EXPECTED


def test_json_lines_are_read() -> None:
    assert len(read(b"\n".join([as_json(ALEX), as_json(ALEX | {"Guid": exchange_guid(2)})])).mailboxes) == 2


def test_a_column_that_nobody_knows_is_named_by_an_option() -> None:
    row = {("Besitzeraktionen" if name == "AuditOwner" else name): value for name, value in ALEX.items()}

    assert the_mailbox(as_csv(row), columns=("Besitzeraktionen=AuditOwner",)).audit == EXPECTED


@pytest.mark.parametrize("word", ["WAHR", "vrai", "Verdadero", "$true", "1", "TRUE"])
def test_flags_are_read_in_the_language_of_the_spreadsheet(word: str) -> None:
    assert the_mailbox(as_csv(ALEX | {"AuditEnabled": word})).audit.enabled is True


@pytest.mark.parametrize("word", ["FALSCH", "faux", "Falso", "$false", "0"])
def test_flags_that_are_off_too(word: str) -> None:
    assert the_mailbox(as_csv(ALEX | {"AuditEnabled": word})).audit.enabled is False


def test_an_empty_cell_is_an_empty_list() -> None:
    assert the_mailbox(as_csv(ALEX | {"DefaultAuditSet": "", "AuditOwner": []})).audit.owner == ()


def test_an_unknown_action_is_kept() -> None:
    assert the_mailbox(as_csv(ALEX | {"AuditOwner": ["Update", "SummarizeItem"]})).audit.owner == (
        "Update",
        "SummarizeItem",
    )


def test_a_capability_that_was_not_read_is_no_license() -> None:
    found = read(as_json(ALEX | {"PersistedCapabilities": "N/A"}))

    assert found.mailboxes[0].license is License.UNKNOWN
    assert "PersistedCapabilities" in found.problems[0]


def test_a_mailbox_with_delegates_is_opened_by_others() -> None:
    assert the_mailbox(as_json(ALEX | {"GrantSendOnBehalfTo": ["Kim Example"]})).delegated
    assert not the_mailbox(as_json(ALEX | {"GrantSendOnBehalfTo": []})).delegated


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AuditOwner": "System.Object[]"}, "type name"),
        ({"AuditOwner": "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]"}, "type name"),
        ({"AuditOwner": "System.Collections.ArrayList"}, "type name"),
        ({"AuditOwner": "{Update, MoveToDeletedItems, SoftDelete...}"}, "cut off"),
        ({"AuditOwner": "{Update, MoveToDeletedItems, SoftDelete…}"}, "cut off"),
        ({"AuditOwner": "N/A"}, "cannot be a name"),
        ({"DefaultAuditSet": "@{value=System.Object[]; Count=3}"}, "cannot be a name"),
        ({"AuditEnabled": "perhaps"}, "neither true nor false"),
        ({"AuditLogAgeLimit": "Microsoft.Exchange.Data.EnhancedTimeSpan"}, "type name"),
    ],
)
def test_a_cell_that_the_export_lost_is_not_read_and_named(changed: dict[str, Any], words: str) -> None:
    found = read(as_csv(ALEX | changed))
    [name] = changed

    assert words in found.problems[0]
    assert "file0, row 1" in found.problems[0]
    assert name in found.problems[0]
    assert None in found.mailboxes[0].audit


def test_missing_columns_are_named_with_the_cmdlet_that_has_them() -> None:
    row = {name: value for name, value in ALEX.items() if name != "DefaultAuditSet"}
    [problem] = read(as_csv(row | {"Standardsatz": "x"})).problems

    assert "DefaultAuditSet" in problem
    assert "-PropertySets Minimum,Audit" in problem
    assert "'Standardsatz'=DefaultAuditSet" in problem


@pytest.mark.parametrize("rows", [[ALEX | {"Guid": exchange_guid(number)} for number in range(1000)], BYPASSES * 500])
def test_exactly_a_thousand_rows_are_the_limit_of_the_cmdlet(rows: list[dict[str, Any]]) -> None:
    problems = read(as_json(rows)).problems

    assert any("-ResultSize Unlimited" in problem for problem in problems)


def test_bypasses_are_read_by_id() -> None:
    assert read(as_json(BYPASSES)).bypassed == [Bypassed(None, exchange_guid(9), "svc")]


def test_a_name_that_is_an_object_id_joins_nothing() -> None:
    rows = [{"Name": object_id(1), "Guid": exchange_guid(9), "AuditBypassEnabled": True}]

    assert read(as_csv(*rows)).bypassed == [Bypassed(None, exchange_guid(9), object_id(1))]


def test_a_recipient_type_is_no_type_of_a_mailbox() -> None:
    row = {("RecipientType" if name == "RecipientTypeDetails" else name): cell for name, cell in ALEX.items()}
    found = read(as_json(row))

    assert [each.type for each in found.mailboxes] == [""]
    assert "has no column RecipientTypeDetails" in found.problems[0]


def test_one_page_of_several_is_partial() -> None:
    found = read(as_json({"@odata.nextLink": "https://x", "value": [ALEX]}), as_json({"value": BYPASSES}))

    assert found.problems == ["file0 is a page of several (@odata.nextLink). Put them together into one JSON array"]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_values_of_a_switch_the_worse_counts_and_both_are_named(order: int) -> None:
    files = [as_json(SWITCHES), as_json(SWITCHES | {"AuditDisabled": True})][::order]
    found = read(*files)

    assert found.organization.audit_disabled
    assert "AuditDisabled is" in found.problems[0]


def test_other_ends_of_lines_in_a_name_end_no_row() -> None:
    lines = "\n".join(json.dumps(ALEX | {"DisplayName": name}, ensure_ascii=False) for name in ("A", "B\u2028C"))

    assert [each.display_name for each in read(lines.encode()).mailboxes] == ["A", "B\u2028C"]


def test_half_a_character_is_a_question_mark() -> None:
    assert the_mailbox(as_json(ALEX | {"DisplayName": "Kim \ud83d"})).display_name == "Kim ?"
    assert the_mailbox(as_json(ALEX | {"DisplayName": "Kim \U0001f600"})).display_name == "Kim \U0001f600"


def test_reading_bypassed_accounts_takes_time_in_proportion() -> None:
    rows = [{"Guid": exchange_guid(number), "AuditBypassEnabled": True} for number in range(80_000)]
    began = time.process_time()
    found = read(as_json(rows))

    assert len(found.bypassed or ()) == 80_000
    assert time.process_time() - began < 8


def test_a_list_without_a_bypass_was_read_all_the_same() -> None:
    assert read(as_json(BYPASSES[:1])).bypassed == []


def test_a_bypass_that_stands_beside_the_mailbox_counts() -> None:
    found = read(as_csv(ALEX | {"Audit By Pass Enabled": "True"}))

    assert found.bypassed == [Bypassed(object_id(1), exchange_guid(1), "Alex Example")]


def test_a_bypass_without_a_value_is_named() -> None:
    found = read(as_csv(BYPASSES[1] | {"AuditBypassEnabled": ""}))

    assert found.problems == ["file0, row 1: AuditBypassEnabled: it is empty"]


def test_switches_are_read() -> None:
    found = read(as_json({"AuditDisabled": False}), as_json({"UnifiedAuditLogIngestionEnabled": True}))

    assert found.organization.model_dump(include={"audit_disabled", "ingestion_enabled"}) == {
        "audit_disabled": False,
        "ingestion_enabled": True,
    }


def test_the_admin_audit_log_is_read() -> None:
    row = SWITCHES | {"AdminAuditLogEnabled": True, "AdminAuditLogExcludedCmdlets": ["*Mailbox*"]}
    admin = read(as_json(row)).organization.admin_audit

    assert admin is not None
    assert admin.excluded_cmdlets == ("*Mailbox*",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"{}", "no_rows"),
        (b"Name,AuditBypassEnabled\r\n", "no_rows"),
        (b"  \n", "empty"),
        (b"\xff\xfe\x00", "neither UTF-8 nor UTF-16"),
        (b"\x80abc", "neither UTF-8 nor UTF-16"),
        (b"[{", "cannot be read"),
        (as_json(ALEX) + b'\n{"Guid', "cut off"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1, 2]", "where a mailbox is expected"),
        (b"hello", "no line names columns"),
        (b"Name,Size\r\nAlex,7\r\n", "no column is known"),
        (as_json([]), "no_rows"),
        (b"AuditOwner,AuditOwner\r\n1,2\r\n", "appears twice"),
        (b'AuditOwner,Guid\r\n"Update,7\r\n', "not CSV"),
        (b"AuditOwner,Guid\r\nUpdate\r\n", "line 2 has 1 cells"),
        (b"AuditOwner,Guid\r\nUpdate,x,y\r\n", "line 2 has 3 cells"),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_its_name(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match="file0") as refused:
        read(data)

    assert words in str(refused.value)


def test_lines_of_the_worker_are_read_too() -> None:
    audit = {"enabled": True, "age_limit": None, "default_set": [], "admin": [], "delegate": [], "owner": ["Update"]}
    row: dict[str, Any] = {
        "object_id": object_id(1),
        "exchange_guid": None,
        "upn": "a",
        "address": "",
        "display_name": "",
        "type": "",
        "created_at": None,
        "capabilities": [],
        "audit": audit,
    }
    bypass = {"object_id": None, "exchange_guid": exchange_guid(2), "name": "svc"}
    found = read(as_json([row]), as_json([bypass]), as_json([row | {"audit": None}]))

    assert [each.audit.owner for each in found.mailboxes] == [("Update",)]
    assert found.bypassed == [Bypassed(None, exchange_guid(2), "svc")]
    assert len(found.problems) == 1

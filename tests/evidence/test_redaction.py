"""No subject and no body of a message is stored, wherever a record has it."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.evidence.redaction import ENDINGS, PARTS, SUBJECTS, redacted

PLANTED = "Quarterly results, confidential"
RECORDS: dict[str, Any] = {
    "a field": {"Subject": PLANTED},
    "another spelling": {"EMAIL_SUBJECT": PLANTED},
    "nested": {"Item": {"InternetMessageId": "1", "Subject": PLANTED}},
    "a list": {"AffectedItems": [{"Subject": PLANTED}]},
    "a body with its type": {"body": {"contentType": "text", "content": PLANTED}},
    "a name and a value": {"Parameters": [{"Name": "Subject", "Value": PLANTED}]},
    "a modified property": {"displayName": "Subject", "oldValue": PLANTED, "newValue": PLANTED},
    "JSON in a text": {"RawEventData": json.dumps({"Item": {"Subject": PLANTED}})},
    "JSON in JSON": {"AuditData": json.dumps({"RawEventData": json.dumps({"Subject": PLANTED})})},
    "a quoted JSON text": {"value": json.dumps(json.dumps({"Subject": PLANTED}))},
    "broken JSON": {"RawEventData": '{"Subject": "' + PLANTED},
    "a flattened name": {"Item.Subject": PLANTED, "AffectedItems_0_Subject": PLANTED, "Item.Body": PLANTED},
    "a name in full width": {"\uff33\uff55\uff42\uff4a\uff45\uff43\uff54": PLANTED},
    "a pair with several values": {"Name": "Subject", "Values": [PLANTED]},
    "a pair of other words": {"Key": "messageBody", "Text": PLANTED},
    "a pair as a list": {"Properties": [["Subject", PLANTED]]},
    "a name that is given twice": {"RawEventData": f'{{"Subject": "{PLANTED}", "Subject": ""}}'},
    "JSON after a mark of its encoding": {"AuditData": "\ufeff" + json.dumps({"Subject": PLANTED})},
    "JSON that is quoted three times": {"x": json.dumps(json.dumps(json.dumps({"Subject": PLANTED})))},
    "JSON within words": {"Details": "Message " + json.dumps({"Subject": PLANTED})},
    "escaped JSON within words": {"Details": "Message " + json.dumps(json.dumps({"Subject": PLANTED}))},
    "broken JSON of another word": {"RawEventData": '{"ConversationTopic": "' + PLANTED},
    "a hashtable": {"Details": f"@{{Id=1; Subject={PLANTED}}}"},
    "XML": {"Details": f"<Item><t:Subject>{PLANTED}</t:Subject></Item>"},
    "a header": {"Headers": f"From: alex@contoso.com\r\nSubject: {PLANTED}"},
    "a name with more around it": {
        "EmailSubjectLine": PLANTED,
        "SubjectText_s": PLANTED,
        "ConversationTopic_s": PLANTED,
    },
    "a body with more around it": {"MessageBodyText": PLANTED, "BodyContent": PLANTED},
    "an automatic reply": {"InternalReplyMessage": PLANTED, "ExternalReplyMessage": PLANTED},
    "what data loss prevention found": {"DetectedValues": [{"Name": PLANTED, "Value": PLANTED}]},
    "secrets": {"Password": PLANTED, "secretText": PLANTED, "accessToken": PLANTED},
    "a parameter with a secret": {"Parameters": [{"Name": "Password", "Value": PLANTED}]},
    "a pair with a list": {"Properties": [["Subject", [PLANTED]]]},
    "a text that begins with it": {"Details": f"subject={PLANTED}"},
    "the middle of a line": {"Details": f"Id: 1, Subject: {PLANTED}"},
    "a line after a prefix": {"Details": f"Re: Subject : {PLANTED}"},
    "what mail is grouped by": {"clusterBy": "Subject;P2SenderDomain", "clusterByValue": f"{PLANTED};fabrikam.com"},
}


@pytest.mark.parametrize("name", sorted(SUBJECTS))
@pytest.mark.parametrize(
    "text",
    [
        "Von: alex@contoso.com\r\n{}: {}\r\nAn: x",
        "{}\u00a0: {}",
        "{} : {}",
        "{}\uff1a{}",
        "1, {}: {}",
        '{{"{}": "{}"}}',
        "<{}>{}",
    ],
)
def test_a_subject_in_another_language_is_removed(name: str, text: str) -> None:
    assert PLANTED not in json.dumps(redacted({"Details": text.format(name.title(), PLANTED)}))


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_the_name_of_a_subject_in_letters_with_separate_marks_removes_it(name: str) -> None:
    """As macOS writes them."""
    text = unicodedata.normalize("NFD", f"Od: alex@contoso.com\n{name}: {PLANTED}")

    assert PLANTED not in redacted(text)


@pytest.mark.parametrize("text", ["Thematic: x", "Objets: x", "Konum: x", "betreffend: x", "aihe"])
def test_a_word_that_only_begins_like_a_subject_stays(text: str) -> None:
    assert redacted({"Details": text}) == {"Details": text}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_a_subject_is_removed_from(record: Any) -> None:
    assert PLANTED not in json.dumps(redacted(record))


def test_everything_else_stays() -> None:
    record = {
        "Operation": "Send",
        "Item": {"Id": "7", "Subject": PLANTED},
        "Parameters": [{"Name": "To", "Value": "x"}],
    }

    assert redacted(record) == {
        "Operation": "Send",
        "Item": {"Id": "7", "Subject": "(removed)"},
        "Parameters": [{"Name": "To", "Value": "x"}],
    }


@pytest.mark.parametrize(
    "name",
    [
        "SubjectContainsWords",
        "BodyContainsWords",
        "SubjectOrBodyContainsWords",
        "ExceptIfSubjectContainsWords",
        "SubjectOrBodyMatchesPatterns",
    ],
)
def test_the_conditions_of_a_rule_stay(name: str) -> None:
    rule = {"Parameters": [{"Name": name, "Value": "invoice"}], name: "invoice", "Details": f"{name}: invoice"}

    assert redacted(rule) == rule


@pytest.mark.parametrize("name", sorted({*PARTS, *(f"a{each}" for each in (*PARTS, *ENDINGS))}))
def test_every_name_is_recognized_within_other_text(name: str) -> None:
    assert redacted({"Details": f'Message {{"{name.title()}": "{PLANTED}"}}'}) == {"Details": "(removed)"}


@pytest.mark.parametrize("run", ['"', "\\", "{ ", "<a", ";a", "subject;", '"a" ', " \n", "["])
def test_a_long_run_of_marks_is_read_to_its_end(run: str) -> None:
    assert PLANTED not in redacted(f"subject é {run * 200_000}\n<Subject>{PLANTED}")


@pytest.mark.parametrize(
    "text",
    [
        'subject:"invoice" AND from:bob',
        'subject="invoice" AND from=bob',
        "Set-InboxRule -SubjectContainsWords invoice",
        '{"SubjectContainsWords": "invoice"}',
        '{"Name": "x", "Name": "y"}',
        "Top of Information Store\\Inbox",
    ],
)
def test_what_somebody_looked_for_stays(text: str) -> None:
    assert redacted({"Query": text}) == {"Query": text}


def test_the_query_of_a_search_stays_in_a_pair() -> None:
    search = {"Parameters": [{"Name": "ContentMatchQuery", "Value": "subject=invoice"}]}

    assert redacted(search) == search


def test_the_name_of_a_token_or_a_method_is_no_secret() -> None:
    sign_in = {"uniqueTokenIdentifier": "x", "authenticationMethod": "Password", "lastPasswordChangeDateTime": "y"}

    assert redacted(sign_in) == sign_in


def test_a_flag_stays() -> None:
    assert redacted({"isPreview": True, "HasBody": False}) == {"isPreview": True, "HasBody": False}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.sampled_from(sorted({*PARTS, *ENDINGS})), st.booleans())
def test_a_secret_field_is_removed_beside_anything(other: Any, name: str, packed: bool) -> None:
    secret: Any = {name: PLANTED}
    record = {"before": other, "inner": [json.dumps(secret) if packed else secret]}

    assert PLANTED not in json.dumps(redacted(record))


@given(json_values)
def test_redacting_twice_changes_nothing_more(value: Any) -> None:
    assert redacted(redacted(value)) == redacted(value)

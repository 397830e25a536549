from __future__ import annotations

import pytest

from bypass_responder.evidence.exchange_changes import FLOW, OPERATIONS, changes_of
from bypass_responder.model.question import Found, Item
from tests.evidence.questions import HOME, a_question, at

CONTACT = "/o=Labs/cn=x"


def item(operation: str, *, result: str = "True", **parameters: str) -> Item:
    record = {
        "Operation": operation,
        "CreationTime": at(0.5),
        "UserId": "mallory@contoso.onmicrosoft.com",
        "ResultStatus": result,
        "Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
    }
    answer = changes_of([record], a_question())
    assert isinstance(answer, Found)
    return answer.items[0]


@pytest.mark.parametrize(
    ("operation", "parameters", "reason"),
    [
        ("New-InboxRule", {"ForwardTo": "x@fabrikam.com"}, "forwards mail outside: x@fabrikam.com"),
        (
            "Set-InboxRule",
            {"RedirectTo": "bob@contoso.onmicrosoft.com"},
            "redirects mail to bob@contoso.onmicrosoft.com",
        ),
        (
            "New-InboxRule",
            {"ForwardTo": "x@fabrikam.com;bob@contoso.onmicrosoft.com"},
            'forwards mail outside: "x@fabrikam.com;bob@contoso.onmicrosoft.com"',
        ),
        ("New-InboxRule", {"DeleteMessage": "True"}, "rule that deletes mail"),
        (
            "UpdateInboxRules",
            {"RuleActions": '[{"ActionType":"Forward","Recipients":["x@fabrikam.com"]},{"ActionType":"Delete"}]'},
            "forwards mail outside: x@fabrikam.com; rule that deletes mail",
        ),
        ("Set-Mailbox", {"ForwardingSmtpAddress": "x@fabrikam.com"}, "forwards mail outside: x@fabrikam.com"),
        ("Add-MailboxPermission", {"User": "bob", "AccessRights": "FullAccess"}, "new delegate: bob"),
        ("Add-RecipientPermission", {"Trustee": "bob", "AccessRights": "SendAs"}, "new delegate: bob"),
        ("UpdateFolderPermissions", {}, "new permission on a mailbox"),
        ("New-TransportRule", {"Name": "x"}, "changes the mail flow of the organization"),
        ("New-MailboxExportRequest", {"Mailbox": "alex"}, "search or export of mailboxes"),
        ("Set-Mailbox", {"AuditOwner": "None"}, "changes auditing"),
        ("New-InboxRule", {"MoveToFolder": "alex:\\RSS Feeds"}, 'moves mail to "rss feeds"'),
        ("New-InboxRule", {"MoveToFolder": "x", "MarkAsRead": "True"}, "moves mail and marks it as read"),
        ("Set-Mailbox", {"ForwardingAddress": "Backup"}, "forwards mail outside: Backup"),
        ("New-InboxRule", {"SoftDeleteMessage": "True"}, "rule that deletes mail"),
        ("New-InboxRule", {"DeleteMessage": "$true"}, "rule that deletes mail"),
        ("Set-InboxRule", {"MoveToFolder": "x", "MarkAsRead": "1"}, "moves mail and marks it as read"),
        (
            "UpdateInboxRules",
            {"RuleActions": f'[{{"ActionType":"Forward","Recipients":["{CONTACT}","bob@{HOME}"]}}]'},
            f'forwards mail outside: "{CONTACT}"',
        ),
        (
            "New-InboxRule",
            {"ForwardTo": f'"Bob" [SMTP:bob@{HOME}];"Backup" [EX:{CONTACT}]'},
            f"forwards mail outside: \"'Bob' [SMTP:bob@{HOME}];'Backup' [EX:{CONTACT}]\"",
        ),
        ("New-InboxRule", {"RedirectTo": f"bob@{HOME};Backup"}, f'redirects mail outside: "bob@{HOME};Backup"'),
        ("New-InboxRule", {"ForwardTo": f"bob@{HOME};eve@{HOME}"}, f'forwards mail to "bob@{HOME};eve@{HOME}"'),
        (
            "New-JournalRule",
            {"JournalEmailAddress": "x@fabrikam.com"},
            "forwards mail outside: x@fabrikam.com; changes the mail flow of the organization",
        ),
        (
            "Set-TransportConfig",
            {"JournalingReportNdrTo": "x@fabrikam.com"},
            "forwards mail outside: x@fabrikam.com; changes the mail flow of the organization",
        ),
        ("Set-OutboundConnector", {"SmartHosts": "a.example"}, "changes the mail flow of the organization"),
    ],
)
def test_what_keeps_an_access_open_is_notable(operation: str, parameters: dict[str, str], reason: str) -> None:
    assert item(operation, **parameters).notable == reason


@pytest.mark.parametrize("noun", ["TransportRule", "JournalRule", "InboundConnector", "OutboundConnector"])
def test_what_changes_the_mail_flow_is_asked_for(noun: str) -> None:
    assert {f"New-{noun}", f"Set-{noun}"} <= set(FLOW) <= set(OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("Set-Mailbox", {"Identity": "alex"}), ("New-InboxRule", {"Name": "Team", "SubjectContainsWords": "x@y.com"})],
)
def test_an_ordinary_change_is_not(operation: str, parameters: dict[str, str]) -> None:
    assert item(operation, **parameters).notable is None


def test_a_failed_attempt_says_so() -> None:
    failed = item("Set-MailboxAuditBypassAssociation", result="False", AuditBypassEnabled="True")

    assert (failed.notable, failed.detail["result"]) == ("changes auditing; failed attempt", "failed")


def test_the_condition_of_a_rule_is_not_in_the_item() -> None:
    assert "SubjectContainsWords" not in item("New-InboxRule", SubjectContainsWords="invoice").detail


@pytest.mark.parametrize("to", [f'"a"@{HOME}\'x@fabrikam.com', f"a@{HOME} 'x@fabrikam.com'"])
def test_an_outside_address_counts_wherever_it_stands(to: str) -> None:
    assert (item("New-InboxRule", ForwardTo=to).notable or "").startswith("forwards mail outside: ")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["a", "@'", '"', "["])
def test_a_long_recipient_is_read_in_linear_time(part: str) -> None:
    assert item("New-InboxRule", ForwardTo=part * (1_000_000 // len(part))).notable


@pytest.mark.timeout(20)
def test_a_long_action_of_a_rule_is_read_in_linear_time() -> None:
    actions = f'[{{"ActionType":"{"Mark" * 250_000}"}}]'

    assert item("UpdateInboxRules", MoveToFolder="x", RuleActions=actions).notable is None

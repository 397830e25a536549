"""Searches and exports with eDiscovery and content search: mail read without opening a mailbox. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, answer_of, detail, moment, pairs, text
from bypass_responder.model.question import Empty, Found, Item, Question

OPERATIONS = ("SearchCreated", "SearchStarted", "SearchUpdated", "SearchExported", "SearchExportDownloaded",
              "SearchPreviewed", "ViewedSearchPreviewed", "ViewedSearchExported", "SearchResultsPurged", "CaseAdded",
              "CaseMemberAdded", "CaseAdminAdded", "SearchPermissionCreated", "ExportJob", "DownloadDocument",
              "New-ComplianceSearch", "New-ComplianceSearchAction")  # fmt: skip
"""What an audit log query is asked for."""
NOTABLE = {
    "searchexported": "export of search results",
    "searchexportdownloaded": "download of exported mail",
    "searchpreviewed": "preview of search results",
    "viewedsearchexported": "view of exported mail",
    "viewedsearchpreviewed": "preview of search results",
    "searchresultspurged": "deletes mail from mailboxes",
    "exportjob": "export of a review set",
    "downloaddocument": "download of a document",
    "searchpermissioncreated": "new permission for searches",
    "caseadminadded": "new eDiscovery administrator",
    "new-compliancesearchaction": "export, preview or purge of search results",
}
"""By operation, without case."""
EXPORTS = frozenset({"searchexported", "searchexportdownloaded", "viewedsearchexported", "exportjob",
                     "downloaddocument", "new-compliancesearchaction"})  # fmt: skip
"""Those that take mail out of mailboxes."""
NAMES = ("SearchName", "ExportName", "Name", "Identity")
"""Fields and parameters with the name of a search, that of a search before others."""
_TYPED = re.compile(r"""(?<!\S)-(?P<name>\w+)[ :]\s*(?:["'](?P<quoted>[^"']*)["']|(?P<word>[^\s"'-]\S*))""")
"""A parameter of a command that a record has as one text."""
NOTE = "The records of cmdlets may arrive up to 24 hours later."


def searches_of(records: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each step of a search."""
    return answer_of(records, question, _item, complete=complete, note=NOTE)


def _item(record: Record, question: Question) -> Item:
    operation, at = text(record, "Operation"), moment(record.get("CreationTime"))
    reason = NOTABLE.get(operation.casefold())
    dark = at is not None and question.in_the_dark(at)
    return Item(
        at=at,
        what=operation or "search",
        detail=detail(
            search=_search(record),
            object=text(record, "ObjectId", "Case"),
            address=text(record, "ClientIP"),
            by=text(record, "UserId"),
        ),
        notable=f"{reason}, in the blind window" if reason and dark else reason,
    )


def _search(record: Record) -> str:
    """Return the name of the search or the export: of a cmdlet's record, as it was typed."""
    typed = record.get("Parameters")
    given = dict(pairs(record, "Parameters"))
    if isinstance(typed, str):
        given |= {found["name"]: found["quoted"] or found["word"] or "" for found in _TYPED.finditer(typed)}
    folded = {name.casefold(): value for name, value in given.items()}
    named = (text(record, name) or folded.get(name.casefold(), "") for name in NAMES)
    return next(filter(None, named), "")

"""The tables of docs/detections.md: what was executed, and a comparison with Elastic's rule.

The bypass rule is compared with the one that Elastic has published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detections import shapes
from detections.pack import HERE, RULES
from detections.trial import FORMS, eql_matches, expected, fired, fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = HERE.parent / "docs" / "detections.md"
_ENGINES = {"sentinel": "duckdb-kql", "defender": "duckdb-kql", "elastic": "eql"}
PUBLISHED = (
    'any where event.dataset == "o365.audit" and event.provider == "Exchange"'
    ' and event.action == "Set-MailboxAuditBypassAssociation" and event.outcome == "success"'
)
"""The conditions of Elastic's "M365 Exchange Mailbox Audit Logging Bypass Added", as EQL.

Source: elastic/detection-rules, rules/integrations/o365/defense_evasion_exchange_mailbox_audit_bypass_association.toml.
"""


def wrong() -> list[str]:
    """A line for each record on which a rule does not do what its fixture says."""
    found = []
    for form in FORMS:
        for rule, names in fired(form).items():
            wanted = expected(rule)
            found += [f"{form.target} ({form.name}): {rule} is silent for: {name}" for name in sorted(wanted - names)]
            found += [f"{form.target} ({form.name}): {rule} fires for: {name}" for name in sorted(names - wanted)]
    return found


def page() -> str:
    """docs/detections.md with its tables as they are now."""
    text = PAGE.read_text("utf-8")
    for name, table in (("executed", executed()), ("difference", difference())):
        begin, end = f"<!-- {name}: written by make detections -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}{table}{end}{rest.split(end)[1]}"
    return text


def executed() -> str:
    """A row for each form of records: its engine, and how many records each rule was run on."""
    positive = [each.fires is not None for each in fixtures()]
    tried = f"{len(RULES)} rules on {len(positive)} records, {sum(positive)} of which fire one"
    rows = [f"| {form.target} | {form.name} | {_ENGINES[form.target]} | {tried} |" for form in FORMS]
    head = ["| target | form of the records | engine | executed |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, "| splunk | - | none | not executed |", ""])


def difference() -> str:
    """A row for each record of the bypass cmdlet on which the two rules differ."""
    return "\n".join(["| record | should fire | this pack | Elastic's rule |", "|---|---|---|---|", *_differing(), ""])


def _differing() -> Iterator[str]:
    records = [each for each in fixtures() if each.file == "bypass"]
    documents = [shapes.elastic_document(each.record) for each in records]
    published = set(eql_matches({"published": PUBLISHED}, documents)["published"])
    [elastic] = [form for form in FORMS if form.target == "elastic"]
    ours = fired(elastic)["bypass"]
    for each in records:
        answers = (each.fires == "bypass", each.name in ours, each.record["Id"] in published)
        if len(set(answers)) > 1:
            yield f"| {each.name} | {' | '.join('yes' if answer else 'no' for answer in answers)} |"

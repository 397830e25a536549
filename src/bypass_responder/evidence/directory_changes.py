"""Changes in Entra ID by and about an account: roles, consents, credentials, sign-in methods. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, answer_of, detail, moment, objects, part, text
from bypass_responder.evidence.own_acts import OURS
from bypass_responder.evidence.redaction import redacted
from bypass_responder.model.question import Empty, Found, Item, Question

NOTABLE = (
    ("app role assignment", "permission of an application"),
    ("member to role", "role assignment"),
    ("role assignment", "role assignment"),
    ("consent", "consent to an application"),
    ("permission grant", "consent to an application"),
    ("credential", "new credential of an application"),
    ("certificates and secrets", "new credential of an application"),
    ("owner to application", "new owner of an application"),
    ("owner to service principal", "new owner of an application"),
    ("security info", "change of sign-in methods"),
    ("strong authentication", "change of sign-in methods"),
    ("temporary access pass", "change of sign-in methods"),
    ("reset password", "password reset"),
    ("reset user password", "password reset"),
    ("change password", "password change"),
    ("change user password", "password change"),
    ("conditional access policy", "change of conditional access"),
    ("federation", "change of federation"),
    ("set domain authentication", "change of federation"),
)
"""Part of an activity's name, without case, and the reason to show it first. The first that fits counts."""
MOST_CHANGED = 8


def changes_of(
    records: Sequence[Record], question: Question, *, complete: bool = True, note: str = ""
) -> Found | Empty:
    """Return one item for each change; a record that was read twice counts once."""
    once = list({text(record, "id") or str(index): record for index, record in enumerate(records)}.values())
    return answer_of(once, question, _item, complete=complete, note=note)


def _item(record: Record, question: Question) -> Item:
    activity = text(record, "activityDisplayName")
    targets = objects(record, "targetResources")
    reason = next((why for part, why in NOTABLE if part in activity.casefold()), None)
    failed = text(record, "result").casefold() not in {"success", ""}
    about = ", ".join(name for each in targets if (name := text(each, "userPrincipalName", "displayName", "id")))
    own = {question.account.object_id, question.account.user_principal_name}
    by_itself = bool(own & {text(each, "id") for each in targets}) and _by(record, "id") in own
    return Item(
        at=moment(record.get("activityDateTime")),
        what=activity or "directory change",
        detail=detail(
            by=_by(record, "userPrincipalName", "displayName", "appId", "id"),
            target=about,
            changed=_changed(targets),
            address=_by(record, "ipAddress"),
            result="failed" if failed else "",
            note=OURS if question.own_ids & {_by(record, "appId"), _by(record, "servicePrincipalId")} else "",
        ),
        notable=f"{reason}{', on itself' if by_itself else ''}{' (failed)' if failed else ''}" if reason else None,
    )


def _by(record: Record, *names: str) -> str:
    initiator = part(record, "initiatedBy")
    return next((found for kind in ("user", "app") if (found := text(part(initiator, kind), *names))), "")


def _changed(targets: Sequence[Record]) -> str:
    """Return the modified properties with their new values."""
    modified = [redacted(each) for target in targets for each in objects(target, "modifiedProperties")]
    return "; ".join(f"{text(each, 'displayName')}: {_unquoted(each)}" for each in modified[:MOST_CHANGED])


def _unquoted(modified: Record) -> str:
    return text(modified, "newValue").strip('"')

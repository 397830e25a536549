"""One trace of every kind that an attack may leave, of a target and an actor, around one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.tenant.logs import traces
from sandbox.tenant.logs.traces import AWAY, SCRIPT, Record, audit_record

if TYPE_CHECKING:
    from sandbox.tenant.account import Account
    from sandbox.tenant.logs.traces import Traces

OUTSIDE = "drop@fabrikam.com"


def plant(log: Traces, target: Account, actor: Account, at: datetime) -> None:
    """Add traces of ``target`` and ``actor``.

    They show the habits in the days before ``at``, and the attack after it.
    """
    for account in (target, actor):
        _habits(log, account, at)
        _attack(log, account, at)
    _actor(log, target, actor, at)


def _habits(log: Traces, account: Account, at: datetime) -> None:
    for days in range(2, 7):
        log.sign_ins.append(traces.sign_in(account, at - timedelta(days=days)))
        log.sign_ins.append(traces.sign_in(account, at - timedelta(days=days, hours=1), kind="nonInteractiveUser"))


def _attack(log: Traces, account: Account, at: datetime) -> None:
    soon, before = at + timedelta(seconds=1), at - timedelta(hours=2)
    away: dict[str, Any] = {"country": "ZZ", "address": AWAY, "network": 64511, "agent": SCRIPT}
    log.sign_ins += [
        traces.sign_in(account, soon, **away),
        traces.sign_in(account, soon, kind="nonInteractiveUser", **away),
    ]
    log.audit_records += [
        traces.mail_access(account, before, how="Sync"),
        traces.mail_access(account, before, throttled=True),
        _exchange("New-InboxRule", soon, account, ForwardTo=OUTSIDE, Name="."),
        audit_record(
            "FileDownloaded", soon, account, workload="OneDrive", record_type=6, SourceFileName="salaries.xlsx"
        ),
        audit_record("SearchExported", soon, account, workload="SecurityComplianceCenter", record_type=24),
    ]
    log.alerts += [
        traces.alert("Suspicious inbox forwarding", soon, account),
        traces.alert(
            "DLP policy match for email with subject 'Salaries of 2026'",
            soon,
            account,
            service="microsoftDataLossPrevention",
        ),
    ]
    log.risk_detections.append(traces.risk_detection(account, soon))
    log.message_traces += [
        traces.message_trace(account.user_principal_name, OUTSIDE, soon),
        traces.message_trace(OUTSIDE, account.user_principal_name, soon),
    ]
    log.add("GraphApiAuditEvents", [traces.graph_call(account, soon, uri="me/messages/AAMk/$value")])
    log.add("EmailEvents", [traces.email_event(account, None, soon, outside=OUTSIDE)])


def _actor(log: Traces, target: Account, actor: Account, at: datetime) -> None:
    role = {"Role.DisplayName": "Exchange Administrator"}
    log.directory_audits += [
        traces.directory_audit("Add member to role", at - timedelta(hours=3), by=actor, target=actor, changed=role),
        traces.directory_audit(
            "Admin registered security info", at, by=actor, target=target, category="UserManagement"
        ),
    ]
    log.audit_records.append(
        _exchange("Add-RoleGroupMember", at - timedelta(hours=3), actor, Member=actor.user_principal_name)
        | {"ObjectId": "Organization Management", "RecordType": 1}
    )


def _exchange(cmdlet: str, at: datetime, by: Account, **parameters: str) -> Record:
    return audit_record(
        cmdlet,
        at,
        by,
        workload="Exchange",
        record_type=1,
        ResultStatus="True",
        ObjectId=by.user_principal_name,
        Parameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
    )

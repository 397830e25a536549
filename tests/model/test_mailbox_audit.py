"""Which audit settings are the same, and what a change makes of them: as the worker has it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings, LogonType
from sandbox.worker.mailbox_change import changed

ACTIONS = st.lists(st.sampled_from(["Create", "HardDelete", "MailItemsAccessed", "Send"]), unique=True, max_size=3)
LOGONS = st.sets(st.sampled_from(list(LogonType)))


def settings(default_set: set[LogonType], lists: list[list[str]], limit: str) -> AuditSettings:
    kinds = {logon.lower(): tuple(each) for logon, each in zip(LogonType, lists, strict=True)}
    return AuditSettings(enabled=False, age_limit=limit, default_set=tuple(sorted(default_set)), **kinds)


SETTINGS = st.builds(settings, LOGONS, st.lists(ACTIONS, min_size=3, max_size=3), st.just("90.00:00:00"))


@given(
    before=SETTINGS,
    returned=LOGONS,
    added=st.lists(ACTIONS, min_size=3, max_size=3),
    enable=st.sampled_from([True, None]),
    days=st.sampled_from([None, 90, 180]),
)
def test_a_change_ends_where_the_worker_ends(
    *, before: AuditSettings, returned: set[LogonType], added: list[list[str]], enable: bool | None, days: int | None
) -> None:
    lists = {logon.lower(): tuple(each) for logon, each in zip(LogonType, added, strict=True) if logon not in returned}
    fields: dict[str, Any] = {"enable": enable, "age_limit_days": days, "default_set": tuple(returned), **lists}
    change = AuditChange.model_construct(**fields)

    assert before.changed_by(change).same_as(changed(before, change))


def test_the_actions_of_a_default_set_are_not_compared() -> None:
    one = AuditSettings(default_set=("Owner",), owner=("Update",))

    assert one.same_as(AuditSettings(default_set=("owner",), owner=("Update", "Send")))
    assert not one.same_as(AuditSettings(owner=("Update",)))


def test_neither_order_nor_case_of_a_list_matters() -> None:
    assert AuditSettings(owner=("Update", "Send")).same_as(AuditSettings(owner=("send", "UPDATE")))
    assert not AuditSettings(owner=("Update",)).same_as(AuditSettings(owner=("Send",)))

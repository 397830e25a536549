"""The data files: what they have to have, and which is chosen."""

from __future__ import annotations

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.baseline import Baseline, Kind, License, baselines, exchange_rules, measures


@pytest.mark.parametrize("baseline", baselines().values(), ids=baselines())
def test_a_baseline_names_its_source_and_has_each_action_once(baseline: Baseline) -> None:
    assert baseline.source
    assert str(baseline.date) in baseline.id or baseline.kind is Kind.CIS
    for actions in baseline.actions.values():
        assert len({*actions}) == len(actions)


@pytest.mark.parametrize("logon", LogonType)
def test_microsoft_is_within_cis_and_that_within_what_is_possible(logon: LogonType) -> None:
    found = measures()

    assert {*found.microsoft.actions[logon]} < {*found.cis.actions[logon]} < {*found.possible.actions[logon]}


def test_the_newest_of_a_kind_is_chosen() -> None:
    assert measures("microsoft").baseline.id == "microsoft-2026-06-24"


def test_an_older_one_is_chosen_by_its_id() -> None:
    assert measures("microsoft-2023-10-01").microsoft.id == "microsoft-2023-10-01"


def test_one_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RefusedError, match=r"cis-6\.1\.2-5\.0\.0"):
        measures("nist")


def test_no_mailbox_type_has_two_rules() -> None:
    rules = exchange_rules()

    assert not rules.own_setting & (rules.fixed_set | rules.follows_organization)
    assert not rules.fixed_set & rules.follows_organization


def test_baselines_come_the_oldest_first() -> None:
    dates = [each.date for each in baselines().values()]

    assert dates == sorted(dates)


@pytest.mark.parametrize(
    ("license_", "is_wanted"), [(License.STANDARD, False), (License.PREMIUM, True), (License.UNKNOWN, True)]
)
def test_what_only_premium_has_is_not_wanted_of_a_license_without_it(license_: License, is_wanted: bool) -> None:
    """Of a license that is not known it is: what is missing is named."""
    then = measures("microsoft-2023-10-01").microsoft

    assert ("MailItemsAccessed" in then.wanted(LogonType.OWNER, license_)) == is_wanted

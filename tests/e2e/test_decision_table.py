"""Every row of the decision table, through the real adapters.

Each is compared by the decision, the effects and the tenant's own state.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.model.account import Account
from bypass_responder.model.decision_message import Author, DecisionKind
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Step
from bypass_responder.operating.decide import outcome_of, prepare
from bypass_responder.ports import Directory
from sandbox.azurite import missing
from sandbox.tenant.account import made_up_guid
from tests.e2e.conftest import Start
from tests.e2e.live import ALL_HELD, CONTAINED, Ending, Live, all_of, changes

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

SOON = timedelta(seconds=-2)
"""A record of whole seconds that happened after a row that was written just now."""
BLOCK, REVOKE, DISABLE = "block_sign_in", "revoke_sessions", "disable_bypass"
NOW = ("done", "effective")
HELD = ("held", None)


async def decide(live: Live, kind: str, *, account: str | None = None) -> None:
    """Let a person decide about the one incident, and the responder carry it out.

    Raises RefusedError, as bypassctl does.
    """
    services, incident = live.responder.services, await live.incident()
    about = (DecisionKind(kind), incident.id, services)
    prepared = await prepare(*about, reason="CHG-7", author=Author(name="ops"), account=account)
    await services.decisions.send(prepared.message)
    await live.decisions()
    recorded = await outcome_of(prepared.message, services)
    if recorded is not None and recorded.outcome == "refused":
        raise RefusedError(recorded.why)
    while await live.work():
        pass
    await live.passes(seconds=10)


# ---- who is it --------------------------------------------------------------------------------------------------


async def test_a_violation_is_contained(live: Live) -> None:
    live.attack("bypass", target="alex")
    await live.runs()

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("alex")
    assert (live.account("alex")["account_enabled"], live.account("alex")["audit_bypass_enabled"]) == (False, False)
    assert await live.notified() == {"contained", "restored"}


async def test_a_name_that_only_exchange_knows_is_contained(live: Live) -> None:
    live.attack("old-style", target="megan")
    await live.runs()

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("megan")


async def test_a_name_that_nobody_has_is_held(live: Live) -> None:
    live.bypassed("alex", on=False, object_id="nobody", identity="nobody")
    await live.runs()

    assert await live.endings() == [Ending("unresolved", IncidentStatus.HELD, ALL_HELD)]
    assert live.changed() == set()
    assert await live.notified() == {"held"}


async def test_an_object_id_and_a_name_that_nobody_has_are_held(live: Live) -> None:
    live.bypassed("alex", on=False, object_id=made_up_guid("nobody"), identity="nobody@contoso.onmicrosoft.com")
    await live.runs()

    assert await live.endings() == [Ending("unresolved", IncidentStatus.HELD, ALL_HELD)]
    assert live.changed() == set()


async def test_a_name_that_two_accounts_have_is_held(live: Live) -> None:
    live.attack("colliding-name")
    await live.runs()

    assert await live.endings() == [Ending("unresolved", IncidentStatus.HELD, ALL_HELD)]
    assert live.changed() == set()


async def test_a_record_that_names_two_accounts_is_held(live: Live) -> None:
    live.attack("two-names", target="adele")
    await live.runs()

    assert await live.endings() == [Ending("unresolved", IncidentStatus.HELD, ALL_HELD)]
    assert live.changed() == set()


async def test_a_person_says_which_account_an_unresolved_record_means(live: Live) -> None:
    live.attack("colliding-name", target="jo.north")
    await live.runs()
    await decide(live, "approve", account=live.id_of("jo.north"))

    assert [ending.status for ending in await live.endings()] == [IncidentStatus.CLOSED, IncidentStatus.CONTAINED]
    assert live.changed() == all_of("jo.north")


# ---- who may be bypassed ----------------------------------------------------------------------------------------


async def test_an_allowlisted_account_is_left_alone(live: Live) -> None:
    await live.allowlist("svc-archive")
    live.bypassed("svc-archive", ago=SOON)
    await live.runs()

    assert await live.verdicts() == ["allowlisted"]
    assert await live.endings() == []
    assert live.changed() == set()


async def test_a_protected_account_only_gets_its_auditing_back(start: Start) -> None:
    live = await start(PROTECTED_OBJECT_IDS=made_up_guid("entra", "break-glass@contoso.onmicrosoft.com"))
    await live.first_start()
    live.attack("break-glass")
    await live.runs()

    assert await live.endings() == [Ending("protected", IncidentStatus.RESTORED, {DISABLE: NOW})]
    assert live.changed() == changes("break-glass", "audit_bypass_enabled")


async def test_an_unreadable_row_holds_the_containment_and_restores_auditing(live: Live) -> None:
    await live.allowlist("svc-archive", ExpiresAt="when it is over")
    live.bypassed("svc-archive", ago=SOON)
    await live.runs()

    steps = {BLOCK: HELD, REVOKE: HELD, DISABLE: NOW}
    assert await live.endings() == [Ending("allowlist_unclear", IncidentStatus.HELD, steps)]
    assert live.changed() == changes("svc-archive", "audit_bypass_enabled")
    assert await live.notified() == {"allowlist_changed", "held", "restored"}


async def test_a_row_edited_after_the_bypass_exempts_nobody(live: Live) -> None:
    live.bypassed("svc-archive", ago=timedelta(minutes=1))
    await live.allowlist("svc-archive")
    await live.runs()

    steps = {BLOCK: HELD, REVOKE: HELD, DISABLE: NOW}
    assert await live.endings() == [Ending("allowlist_unclear", IncidentStatus.HELD, steps)]
    assert live.changed() == changes("svc-archive", "audit_bypass_enabled")


async def test_an_entry_that_expired_meanwhile_restores_auditing_and_notifies_the_owner(live: Live) -> None:
    await live.allowlist("svc-archive", ExpiresAt=datetime.now(UTC) + timedelta(seconds=30))
    live.bypassed("svc-archive", ago=SOON)
    live.ahead = timedelta(minutes=10)
    await live.runs()

    assert await live.endings() == [Ending("allowlist_expired", IncidentStatus.RESTORED, {DISABLE: NOW})]
    assert live.changed() == changes("svc-archive", "audit_bypass_enabled")
    assert "allowlist_expired" in await live.notified()


async def test_an_entry_that_had_expired_before_the_bypass_exempts_nobody(live: Live) -> None:
    await live.allowlist("svc-archive", ExpiresAt=datetime.now(UTC) - timedelta(minutes=5))
    live.bypassed("svc-archive", ago=SOON)
    await live.runs()

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("svc-archive")


# ---- when was it ------------------------------------------------------------------------------------------------


async def test_what_was_in_the_feed_before_the_first_start_is_held(start: Start) -> None:
    live = await start()
    live.bypassed("alex", ago=timedelta(minutes=5))
    await live.runs()

    assert await live.endings() == [Ending("first_run", IncidentStatus.HELD, ALL_HELD)]
    assert live.changed() == set()


async def test_an_old_record_of_a_bypass_that_is_off_now_is_history(live: Live) -> None:
    live.bypassed("alex", ago=timedelta(hours=25), on=False)
    await live.runs()

    assert await live.endings() == [Ending("history", IncidentStatus.HELD, {BLOCK: HELD, REVOKE: HELD})]
    assert live.changed() == set()


async def test_an_old_record_of_a_bypass_that_is_still_on_is_a_violation(live: Live) -> None:
    live.bypassed("alex", ago=timedelta(hours=25))
    await live.runs()

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("alex")


async def test_an_off_that_arrives_first_softens_no_on(live: Live) -> None:
    live.attack("on-then-off", target="isaiah")
    await live.runs()

    steps = {BLOCK: NOW, REVOKE: NOW, DISABLE: ("done", "not_needed")}
    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, steps)]
    assert live.changed() == changes("isaiah", "account_enabled", "sign_in_sessions_valid_from")


async def test_a_failed_attempt_is_reported_and_nobody_is_contained(live: Live) -> None:
    live.attack("failed", target="diego")
    await live.runs()

    assert (await live.verdicts(), await live.endings()) == (["attempt"], [])
    assert live.changed() == set()
    assert await live.notified() == {"attempt"}


# ---- how many ---------------------------------------------------------------------------------------------------


async def test_over_the_limit_the_block_alone_waits(start: Start) -> None:
    live = await start(CONTAINMENT_LIMIT_PER_HOUR="0")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()

    steps = {BLOCK: HELD, REVOKE: NOW, DISABLE: NOW}
    assert await live.endings() == [Ending("limit_reached", IncidentStatus.HELD, steps)]
    assert live.changed() == changes("alex", "sign_in_sessions_valid_from", "audit_bypass_enabled")


async def test_the_limit_is_exact(start: Start) -> None:
    """Seven people in one blob, two slots: two blocks."""
    live = await start(CONTAINMENT_LIMIT_PER_HOUR="2")
    await live.first_start()
    flood = live.attack("flood")
    await live.runs()

    blocked = {name for name, changed in live.changed() if changed == "account_enabled"}
    assert (len(flood["records"]) > 2, len(blocked)) == (True, 2)


async def test_over_the_limit_then_approved_then_released(start: Start) -> None:
    live = await start(CONTAINMENT_LIMIT_PER_HOUR="0")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()
    await decide(live, "approve")

    assert await live.endings() == [Ending("limit_reached", IncidentStatus.CONTAINED, CONTAINED)]
    assert (live.changed(), live.account("alex")["account_enabled"]) == (all_of("alex"), False)

    await decide(live, "release")

    released = CONTAINED | {"release": NOW}
    assert await live.endings() == [Ending("limit_reached", IncidentStatus.RELEASED, released)]
    assert (live.changed(), live.account("alex")["account_enabled"]) == (all_of("alex"), True)
    assert live.account("alex")["audit_bypass_enabled"] is False


# ---- which account ----------------------------------------------------------------------------------------------


async def test_the_block_of_a_synced_account_is_called_temporary(live: Live) -> None:
    live.attack("synced")
    await live.runs()

    steps = {BLOCK: ("done", "temporary"), REVOKE: NOW, DISABLE: NOW}
    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, steps)]
    assert live.changed() == all_of("hybrid")
    assert await live.notified() == {"restored", "step_ineffective"}


async def test_the_revocation_of_a_guest_is_called_ineffective(live: Live) -> None:
    live.attack("guest")
    await live.runs()

    steps = {BLOCK: NOW, REVOKE: ("done", "ineffective"), DISABLE: NOW}
    assert await live.endings() == [Ending("violation", IncidentStatus.FAILED, steps)]
    assert live.changed() == changes("pat_fabrikam.example#EXT#", "account_enabled", "audit_bypass_enabled")
    assert "step_ineffective" in await live.notified()


async def test_the_block_of_an_administrator_fails_and_names_the_missing_role(live: Live) -> None:
    live.attack("admin")
    await live.runs()

    steps = {BLOCK: ("failed", None), REVOKE: NOW, DISABLE: NOW}
    assert await live.endings() == [Ending("violation", IncidentStatus.FAILED, steps)]
    assert live.changed() == changes("admin", "sign_in_sessions_valid_from", "audit_bypass_enabled")
    details = {step.step.value: step.detail for step in await live.rows(Step)}
    assert "Privileged Authentication Administrator" in details[BLOCK]
    assert "step_failed" in await live.notified()


async def test_an_administrator_is_blocked_once_the_role_is_granted_and_a_person_approves(live: Live) -> None:
    live.attack("admin")
    await live.runs()
    live.client.settings(privileged_role=True)
    await decide(live, "approve")

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("admin")


async def test_an_account_that_was_disabled_already_is_not_blocked_again(live: Live) -> None:
    live.attack("disabled")
    await live.runs()

    steps = {BLOCK: ("done", "not_needed"), REVOKE: NOW, DISABLE: NOW}
    assert [ending.steps for ending in await live.endings()] == [steps]
    assert live.changed() == changes("former", "sign_in_sessions_valid_from", "audit_bypass_enabled")


async def test_an_account_that_was_disabled_already_is_not_released(live: Live) -> None:
    live.attack("disabled")
    await live.runs()

    with pytest.raises(RefusedError, match="has not blocked"):
        await decide(live, "release")
    assert live.account("former")["account_enabled"] is False


class DeletedMeanwhile:
    """A directory in which an administrator deletes the account just before it is blocked."""

    def __init__(self, directory: Directory, live: Live) -> None:
        self._directory = directory
        self._live = live

    async def find(self, name: str) -> Account | None:
        return await self._directory.find(name)

    async def is_administrator(self, name: str) -> bool:
        return await self._directory.is_administrator(name)

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        self._live.client.delete(object_id)
        await self._directory.set_sign_in(object_id, enabled=enabled)

    async def revoke_sessions(self, object_id: str) -> None:
        await self._directory.revoke_sessions(object_id)


async def test_an_account_that_is_deleted_between_read_and_act_needs_nothing_any_more(live: Live) -> None:
    live.use_directory(DeletedMeanwhile(live.responder.services.directory, live))
    live.attack("bypass", target="alex")
    await live.runs()
    for _ in range(6):
        await live.passes(seconds=70)
        await live.runs()

    not_needed = dict.fromkeys((BLOCK, REVOKE, DISABLE), ("done", "not_needed"))
    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, not_needed)]
    assert live.changed() == set()


# ---- observe ----------------------------------------------------------------------------------------------------


async def test_observe_decides_and_changes_nothing(start: Start) -> None:
    live = await start(MODE="observe")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()

    withheld = dict.fromkeys((BLOCK, REVOKE, DISABLE), ("withheld", None))
    assert await live.endings() == [Ending("violation", IncidentStatus.OBSERVED, withheld)]
    assert live.changed() == set()
    assert await live.notified() == {"observed"}


async def test_what_observe_withheld_is_done_after_approval_in_enforce(start: Start) -> None:
    live = await start(MODE="observe")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()
    await live.deploy(MODE="enforce")
    await decide(live, "approve")

    assert await live.endings() == [Ending("violation", IncidentStatus.CONTAINED, CONTAINED)]
    assert live.changed() == all_of("alex")


# ---- again ------------------------------------------------------------------------------------------------------


async def test_the_same_record_in_three_blobs_is_one_incident(live: Live) -> None:
    staged = live.attack("bypass", target="alex")
    live.client.publish(staged["records"], copies=2)
    await live.runs()

    assert len(await live.rows(Incident)) == 1
    journal = [change for change in live.client.state()["journal"] if change["field"] == "account_enabled"]
    assert len(journal) == 1


async def test_a_bypass_that_is_on_again_after_an_hour_is_a_new_incident(live: Live) -> None:
    live.attack("bypass", target="alex")
    await live.runs()
    live.client.accounts([{"object_id": live.id_of("alex"), "audit_bypass_enabled": True}])
    await live.passes(seconds=3700)
    while await live.work():
        pass
    await live.passes(seconds=60)

    first, second = sorted(await live.rows(Incident), key=lambda row: row.opened_at)
    assert second.refers_to == first.id
    assert live.account("alex")["audit_bypass_enabled"] is False


async def test_an_account_that_somebody_enabled_again_is_called_reverted(live: Live) -> None:
    live.attack("synced")
    await live.runs()
    live.client.sync()
    await live.passes(seconds=3700)
    await live.passes(seconds=130)

    effects = {step.step.value: step.effect.value for step in await live.rows(Step) if step.effect}
    assert effects[BLOCK] == "reverted"

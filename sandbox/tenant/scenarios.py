"""The scenarios of the attack command: attacks, and events that only resemble one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.tenant.account import made_up_guid
from sandbox.tenant.records import SET_BYPASS, Record, noise
from sandbox.tenant.scene import Scene, UnknownScenarioError, account_named
from sandbox.tenant.tampering import TAMPERING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tenant.state import Tenant


def _bypass(scene: Scene) -> list[Record]:
    """A new-style record: ObjectId is the Entra id, Identity the UPN; the bypass is on."""
    scene.switch(scene.target, on=True)
    return [scene.record()]


def _self_bypass(scene: Scene) -> list[Record]:
    """The actor hides its own account."""
    scene.switch(scene.target, on=True)
    return [scene.record(by=scene.target.user_principal_name)]


def _old_style(scene: Scene) -> list[Record]:
    """An old-style record: ObjectId and Identity are both a bare Exchange Name."""
    scene.switch(scene.target, on=True)
    return [scene.record(identity=scene.target.exchange_name)]


def _failed(scene: Scene) -> list[Record]:
    """A failed attempt: nothing changed."""
    return [scene.record(ResultStatus="False")]


def _switch_off(scene: Scene) -> list[Record]:
    """A bypass is switched off."""
    scene.switch(scene.target, on=False)
    return [scene.record(switch="False")]


def _on_then_off(scene: Scene) -> list[Record]:
    """An attacker switches it on and, an hour later, off: both records arrive, the later one first."""
    scene.switch(scene.target, on=True)
    scene.switch(scene.target, on=False)
    return [scene.record(switch="False"), scene.record(at=datetime.now(UTC) - timedelta(hours=1))]


def _confirm(scene: Scene) -> list[Record]:
    """With a Confirm parameter in front of the ones that matter."""
    scene.switch(scene.target, on=True)
    upn = scene.target.user_principal_name
    return [scene.record(parameters={"Confirm": "False", "Identity": upn, "AuditBypassEnabled": "True"})]


def _mixed_case(scene: Scene) -> list[Record]:
    """Operation and parameters in unusual letter case."""
    scene.switch(scene.target, on=True)
    upn = scene.target.user_principal_name.upper()
    ran = scene.record(parameters={"IDENTITY": upn, "auditByPassenabled": "$true"})
    return [ran | {"Operation": SET_BYPASS.lower()}]


def _two_names(scene: Scene) -> list[Record]:
    """A re-pointed Name: ObjectId is one account's Entra id, Identity the UPN of another with that Name."""
    other = next(a for a in scene.tenant.accounts.values() if a.object_id != scene.target.object_id and not a.admin)
    scene.target.exchange_name, other.exchange_name = other.exchange_name, scene.target.object_id
    scene.switch(other, on=True)
    return [scene.record(other)]


def _app_actor(scene: Scene) -> list[Record]:
    """An application did it: the actor is no person."""
    scene.switch(scene.target, on=True)
    app: Record = {
        "AppId": made_up_guid("attacking app"),
        "TokenObjectId": made_up_guid("attacking principal"),
        "UserType": 5,
    }
    return [scene.record(by=str(app["TokenObjectId"]), ClientIP=None, **app)]


def _flood(scene: Scene) -> list[Record]:
    """Every ordinary person at once: more than the hourly limit contains."""
    people = [
        account
        for account in scene.tenant.accounts.values()
        if account.user_type == "Member"
        and not (account.admin or account.on_premises_sync_enabled or account.deleted)
        and account.account_enabled
        and account.exchange_name == account.object_id
        and account.user_principal_name.casefold() != scene.actor.casefold()
        and not account.user_principal_name.startswith("svc-")
    ]
    for account in people:
        scene.switch(account, on=True)
    return [scene.record(account) for account in people]


def _other_tenant(scene: Scene) -> list[Record]:
    """A record of another organization."""
    return [scene.record(OrganizationId=made_up_guid("another tenant"))]


def _noise(scene: Scene) -> list[Record]:
    """Only records of other operations."""
    return noise(scene.tenant.settings, 20)


_UNREADABLE = (
    b'[{"Id":"cut off","Operation":"Set-MailboxAuditBypassAssociation","Parameters":[{"Name":"Audit',
    b"Set-MailboxAuditBypassAssociation is not JSON\0\xff",
    b'["Set-MailboxAuditBypassAssociation", 17, null]',
    b'[{"Operation":"Set-MailboxAuditBypassAssociation","Parameters":17}]',
)


def _bad_input(scene: Scene) -> list[Record]:
    """Blobs that cannot be read, and one good record after them that must not be held up."""
    for body in _UNREADABLE:
        scene.deliver(body)
    return _bypass(scene)


SCENARIOS: dict[str, tuple[Callable[[Scene], list[Record]], str]] = {
    "bypass": (_bypass, "alex"),
    "service-account": (_bypass, "svc-archive"),
    "admin": (_bypass, "admin"),
    "break-glass": (_bypass, "break-glass"),
    "guest": (_bypass, "pat_fabrikam.example#EXT#"),
    "synced": (_bypass, "hybrid"),
    "disabled": (_bypass, "former"),
    "self-bypass": (_self_bypass, "mallory"),
    "old-style": (_old_style, "megan"),
    "colliding-name": (_old_style, "jo.north"),
    "two-names": (_two_names, "adele"),
    "failed": (_failed, "diego"),
    "switch-off": (_switch_off, "lynne"),
    "on-then-off": (_on_then_off, "isaiah"),
    "confirm": (_confirm, "adele"),
    "mixed-case": (_mixed_case, "patti"),
    "app-actor": (_app_actor, "nestor"),
    "flood": (_flood, "alex"),
    "other-tenant": (_other_tenant, "alex"),
    "bad-input": (_bad_input, "alex"),
    "noise": (_noise, "alex"),
    **TAMPERING,
}
"""By name: what happens, and the account it takes when none is named."""


def stage(
    tenant: Tenant,
    scenario: str,
    *,
    target: str | None = None,
    actor: str | None = None,
    feed_delay_seconds: float = 0.0,
    hunting_delay_seconds: float | None = None,
    silent: bool = False,
) -> dict[str, Any]:
    """Change the tenant and deliver the records after the given delays.

    ``silent`` changes the tenant without any record.
    """
    if scenario not in SCENARIOS:
        msg = f"no scenario {scenario!r}; there are {', '.join(SCENARIOS)}"
        raise UnknownScenarioError(msg)
    act, alias = SCENARIOS[scenario]
    who = actor or f"mallory@{tenant.settings.domain}"
    late = feed_delay_seconds, hunting_delay_seconds
    scene = Scene(tenant, account_named(tenant, target or alias), who, *late, silent)
    records = act(scene)
    scene.deliver(records)
    return {
        "scenario": scenario,
        "target": scene.target.user_principal_name,
        "object_id": scene.target.object_id,
        "actor": who,
        "records": [] if silent else records,
    }

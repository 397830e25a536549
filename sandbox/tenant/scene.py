"""What a scenario of the attack command works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tenant.account import Account
from sandbox.tenant.records import Record, bypass_record, noise

if TYPE_CHECKING:
    from sandbox.tenant.state import Tenant

JOURNALED_AS = "attacker"


class UnknownScenarioError(Exception):
    """There is no scenario, or no account, of that name."""


@dataclass
class Scene:
    """What a scenario works with."""

    tenant: Tenant
    target: Account
    actor: str
    feed_delay_seconds: float = 0.0
    """How much later than usual the records of this scenario reach the feed."""
    hunting_delay_seconds: float | None = None
    """How much later they appear in advanced hunting; None: as the tenant's settings have it."""
    silent: bool = False
    """No record at all: only the changed state shows it."""

    def switch(self, account: Account, *, on: bool) -> None:
        """Change the bypass in Exchange; by the time a record arrives it has long replicated."""
        if account.audit_bypass_enabled != on:
            self.tenant.change(account, "audit_bypass_enabled", on, by=JOURNALED_AS)

    def record(self, target: Account | None = None, **other: Any) -> Record:  # noqa: ANN401 - any field of a record
        """A record of the cmdlet for ``target``, or for the scene's own target."""
        return bypass_record(self.tenant.settings, target or self.target, other.pop("by", self.actor), **other)

    def deliver(self, content: list[Record] | bytes) -> None:
        """Publish one blob: records between records of other operations, bytes as they are."""
        settings = self.tenant.settings
        blob = content if isinstance(content, bytes) else [*noise(settings, 2), *content, *noise(settings, 1)]
        if not self.silent:
            self.tenant.deliver(
                blob, delay_seconds=self.feed_delay_seconds, hunting_delay_seconds=self.hunting_delay_seconds
            )

    def account(self, alias: str) -> Account:
        """An account of the tenant by the part of its UPN before the @."""
        return account_named(self.tenant, alias)


def account_named(tenant: Tenant, name: str) -> Account:
    """The account with this object id, UPN, or part of the UPN before the @."""
    found = tenant.find(name) or tenant.find(f"{name}@{tenant.settings.domain}")
    if found is None:
        known = ", ".join(sorted(each.user_principal_name.partition("@")[0] for each in tenant.accounts.values()))
        msg = f"no account {name!r} in the stand-in tenant; it has {known}"
        raise UnknownScenarioError(msg)
    return found

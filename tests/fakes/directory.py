"""Entra ID in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bypass_responder.errors import NotFoundError, PermissionMissingError
from bypass_responder.model.account import Account
from tests.fakes.scripted import Scripted


class FakeDirectory(Scripted):
    """Accounts by object id.

    ``admins`` cannot be blocked, the sessions of guests stay, and ``sync`` enables synced accounts.
    """

    def __init__(self, *accounts: Account, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self.accounts = {account.object_id: account for account in accounts}
        self.admins: set[str] = set()
        self.revoked: list[str] = []
        self._clock = clock or (lambda: datetime.now(UTC))

    @property
    def enabled(self) -> dict[str, bool]:
        """Whether each account can sign in."""
        return {key: account.account_enabled for key, account in self.accounts.items()}

    def change(self, object_id: str, **fields: object) -> None:
        """Change an account behind the responder's back."""
        self.accounts[object_id] = self.accounts[object_id].model_copy(update=fields)

    def sync(self) -> None:
        """Let Entra Connect run: every synced account is enabled again."""
        for object_id, account in self.accounts.items():
            if account.on_premises_sync_enabled:
                self.change(object_id, account_enabled=True)

    async def find(self, name: str) -> Account | None:
        self._called("find", name)
        return self._account(name)

    async def is_administrator(self, name: str) -> bool:
        self._called("is_administrator", name)
        wanted = name.strip().lower()
        held = [account for object_id, account in self.accounts.items() if object_id in self.admins]
        return any(wanted in {account.object_id, account.user_principal_name.lower()} for account in held)

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        self._called("set_sign_in", object_id)
        self._must_exist(object_id)
        if object_id in self.admins:
            raise PermissionMissingError("An administrator.", permission="Privileged Authentication Administrator")
        self.change(object_id, account_enabled=enabled)

    async def revoke_sessions(self, object_id: str) -> None:
        self._called("revoke_sessions", object_id)
        self._must_exist(object_id)
        self.revoked.append(object_id)
        if not self.accounts[object_id].guest:
            self.change(object_id, sessions_valid_from=self._clock())

    def _account(self, name: str) -> Account | None:
        wanted = name.strip().lower()
        for account in self.accounts.values():
            if wanted in {account.object_id, account.user_principal_name.lower()}:
                return account
        return None

    def _must_exist(self, object_id: str) -> None:
        if object_id not in self.accounts:
            raise NotFoundError(f"Entra ID knows no account {object_id}.")

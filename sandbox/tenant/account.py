"""One account of the stand-in tenant, as Entra and Exchange know it, and the initial accounts.

Every tenant starts with these accounts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self
from uuid import NAMESPACE_DNS, uuid5

from pydantic import BaseModel, ConfigDict, model_validator

from sandbox.tenant.mailbox import Mailbox

TENANT_ID = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"
DOMAIN = "contoso.onmicrosoft.com"


def made_up_guid(*words: str) -> str:
    """The same GUID for the same words, in every run."""
    return str(uuid5(NAMESPACE_DNS, ":".join(words)))


class Account(BaseModel):
    """What is true of an account now; reads may be older (``Tenant.read``).

    Left out, ``object_id`` and the addresses are made from the UPN, ``exchange_name`` is the object id (objects made
    since November 2022) and ``exchange_guid`` is made from the object id and differs from it.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    user_principal_name: str
    object_id: str
    display_name: str
    account_enabled: bool = True
    on_premises_sync_enabled: bool | None = None
    """True for a directory-synced account: the next sync cycle enables it again."""
    user_type: str = "Member"
    sign_in_sessions_valid_from: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    mail: str | None
    mail_nickname: str
    proxy_addresses: list[str]
    other_mails: list[str] = []
    admin: bool = False
    """Holds an Entra role: blocking it needs a role on the caller, not only a Graph permission."""
    deleted: bool = False
    exchange_name: str
    exchange_guid: str
    audit_bypass_enabled: bool = False
    mailbox: Mailbox | None = None
    """Left out: an ordinary one for a member, none for a guest."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: dict[str, Any]) -> dict[str, Any]:
        upn = str(given["user_principal_name"])
        object_id = str(given.get("object_id") or made_up_guid("entra", upn)).lower()
        guest = given.get("user_type") == "Guest"
        defaults = {
            "display_name": upn.partition("@")[0],
            "exchange_name": object_id,
            "exchange_guid": made_up_guid("exchange", object_id),
            "mail": None if guest else upn,
            "mail_nickname": upn.partition("@")[0],
            "proxy_addresses": [] if guest else [f"SMTP:{upn}"],
            "mailbox": None if guest else Mailbox(),
        }
        return defaults | given | {"object_id": object_id}

    @classmethod
    def named(cls, alias: str, *, domain: str = DOMAIN, **fields: Any) -> Self:  # noqa: ANN401 - any field of the model
        """The account ``alias@domain``."""
        return cls.model_validate({"user_principal_name": f"{alias}@{domain}"} | fields)


def default_accounts() -> list[Account]:
    """Synthetic people of contoso, and one of each kind of account that makes the response harder."""
    people = [Account.named(alias) for alias in ("adele", "alex", "diego", "isaiah", "lynne", "nestor", "patti")]
    return [
        *people,
        Account.named("megan", exchange_name="megan"),
        Account.named("mallory", display_name="Mallory (the attacker's account)"),
        Account.named("svc-archive", display_name="Archive service"),
        Account.named("admin", display_name="Administrator", admin=True),
        Account.named("break-glass", display_name="Break glass", admin=True),
        Account.named("pat_fabrikam.example#EXT#", display_name="Pat (guest)", user_type="Guest"),
        Account.named("hybrid", display_name="Hybrid (directory-synced)", on_premises_sync_enabled=True),
        Account.named("former", display_name="Former employee", account_enabled=False),
        Account.named("jo.north", display_name="Jo North", exchange_name="seconduser"),
        Account.named("jo.south", display_name="Jo South", exchange_name="seconduser"),
    ]

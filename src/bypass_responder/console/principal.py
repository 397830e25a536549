"""The signed-in person or application, from the header of App Service authentication.

Pure; fails closed.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bypass_responder.model.base import Value, first_problem, guid_or_none
from bypass_responder.model.decision_message import APPLICATION, Author

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "x-ms-client-principal"
LONGEST_HEADER = 32_768
ENTRA = "aad"
_SCHEMA = "http://schemas.microsoft.com/identity/claims"
OBJECT_ID = (f"{_SCHEMA}/objectidentifier", "oid")
TENANT = (f"{_SCHEMA}/tenantid", "tid")
APP_ROLES = "roles"
"""Entra's claim of app roles. App Service lists it under this name also where ``role_typ`` is the long one."""
ROLE_TYPES = frozenset({APP_ROLES, "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})
"""What ``role_typ`` may name."""
NAMES = (
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
APPLICATIONS = ("azp", "appid")
LONGEST_NAME = 256


class Role(StrEnum):
    """What a person may do in the console: app roles of its registration. Each includes reading."""

    READ = "Console.Read"
    ALLOWLIST = "Console.Allowlist"
    DECIDE = "Console.Decide"


class Principal(Value):
    """A verified person or application of this tenant."""

    object_id: str
    name: str
    roles: frozenset[Role]

    def may(self, role: Role) -> bool:
        """Return True when the roles allow it. Every role includes reading."""
        return role in self.roles or (role is Role.READ and bool(self.roles))

    @property
    def author(self) -> Author:
        """The author of what they decide."""
        return Author(object_id=self.object_id, name=self.name)


class NotSignedInError(Exception):
    """There is no verified principal; the message is the reason, for the log."""


class _Claim(BaseModel):
    model_config = ConfigDict(strict=True)

    typ: str
    val: str


class _Header(BaseModel):
    model_config = ConfigDict(strict=True)

    auth_typ: str
    role_typ: str = ""
    claims: list[_Claim] = Field(max_length=1000)

    def of(self, *types: str) -> list[str]:
        """Return the distinct values of claims of these types, in their order."""
        return list(dict.fromkeys(claim.val for claim in self.claims if claim.typ in types))


def read_principal(headers: Sequence[str], *, tenant_id: str) -> Principal:
    """Return the principal of the values of ``HEADER``. Raises NotSignedInError."""
    if not headers:
        raise NotSignedInError("no_principal")
    if len(headers) > 1:
        raise NotSignedInError("doubled_principal")
    header = _parsed(headers[0])
    if header.auth_typ != ENTRA:
        raise NotSignedInError("other_provider")
    if _only_guid(header.of(*TENANT)) != guid_or_none(tenant_id):
        raise NotSignedInError("other_tenant")
    object_id = _only_guid(header.of(*OBJECT_ID))
    if object_id is None:
        raise NotSignedInError("no_object_id")
    given = header.of(APP_ROLES, *(ROLE_TYPES & {header.role_typ}))
    return Principal(
        object_id=object_id, name=_name(header, object_id), roles=frozenset(role for role in Role if role in given)
    )


def _parsed(text: str) -> _Header:
    if len(text) > LONGEST_HEADER:
        raise NotSignedInError("unreadable_principal")
    try:
        return _Header.model_validate_json(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as problem:
        why = first_problem(problem) if isinstance(problem, ValidationError) else "no base64"
        raise NotSignedInError("unreadable_principal") from ValueError(why)


def _only_guid(values: list[str]) -> str | None:
    return guid_or_none(values[0]) if len(values) == 1 else None


def _name(header: _Header, object_id: str) -> str:
    """Return the user principal name; of an application, its id."""
    names = [header.of(kind) for kind in NAMES]
    applications = header.of(*APPLICATIONS)
    name = next((found[0].strip() for found in names if len(found) == 1 and found[0].strip()), None)
    return (name or f"{APPLICATION}{applications[0] if applications else object_id}")[:LONGEST_NAME]

"""What Entra ID says about rights of service principals."""

from __future__ import annotations

from bypass_responder.model.base import Utc, Value


class Principal(Value):
    """A service principal: an identity of an app, or a service that gives permissions."""

    object_id: str
    application_id: str
    name: str
    managed_identity: bool = False


class Assignment(Value):
    """One application permission that a principal has."""

    id: str
    role_id: str
    resource_id: str
    resource_name: str = ""
    given_at: Utc | None = None


class DirectoryRole(Value):
    """One Entra role that a principal holds. ``scope``: ``/`` is the whole directory."""

    id: str
    role_id: str
    scope: str = "/"

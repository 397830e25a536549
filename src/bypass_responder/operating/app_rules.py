"""The settings by which the app decides, where another process explains what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.rules import in_force
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.session import open_session
from bypass_responder.settings import Mode

if TYPE_CHECKING:
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings


async def settings_of_app(services: Services) -> Settings:
    """Return the local settings, with the mode and protected accounts of the app's last run."""
    rules = in_force((await open_session(TENANT_TARGET, services)).case)
    if rules is None:
        return services.settings
    known = {"mode": Mode(rules.mode), "protected_object_ids": frozenset(rules.protected)}
    return services.settings.model_copy(update=known)

"""What `bypassctl grant` needs, put together: the directory as the signed-in person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.bootstrap.connected import Connected
from bypass_responder.settings import GrantSettings

if TYPE_CHECKING:
    from bypass_responder.operating import grant, self_check


@dataclass(frozen=True)
class Rights(Connected):
    """What `bypassctl grant` works with: the directory as the signed-in person, and no storage."""

    settings: GrantSettings
    directory: grant.DirectoryRights
    tokens: self_check.OwnTokens


def build_rights(environment: Mapping[str, str], *, pause_seconds: float = 1.0) -> Rights:
    """Put together what reads and gives rights. Raises SettingError that names the setting."""
    import httpx
    from azure.identity.aio import DefaultAzureCredential

    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    settings = GrantSettings.from_environment(environment)
    credential = DefaultAzureCredential()
    http = httpx.AsyncClient(timeout=httpx.Timeout(30, connect=10))
    directory = EntraRights(http, credential, settings.graph_url, scope=GRAPH_SCOPE, pause_seconds=pause_seconds)
    tokens = OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE})
    return Rights(settings, directory, tokens, _closing=(http.aclose, credential.close))

"""The adapters of HTTP APIs: Graph, the audit feed, receivers of notifications.

Each is imported at its first use.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bypass_responder.bootstrap.connected import new_id
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder import ports
    from bypass_responder.adapters.console_probe import ConsoleProbe
    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.adapters.graph import GraphDirectory
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.adapters.management_activity import ManagementActivityFeed
    from bypass_responder.operating import self_check
    from bypass_responder.ports import Notifier


def receivers(http: httpx.AsyncClient, settings: Settings) -> dict[str, Notifier]:
    """Return the channels to people by name. Raises SettingError for a secret that cannot sign."""
    if not settings.notification_webhook_url and not settings.receivers:
        return {}
    from bypass_responder.adapters.slack import SlackNotifier
    from bypass_responder.adapters.teams import TeamsNotifier
    from bypass_responder.adapters.webhook import WebhookNotifier
    from bypass_responder.model.receiver import WEBHOOK, ReceiverKind

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each address, and that of a receiver is a secret
    addresses = settings.addresses
    found: dict[str, Notifier] = {}
    url, secret = settings.notification_webhook_url, settings.notification_webhook_secret
    if url and secret:
        found[WEBHOOK] = WebhookNotifier(http, url, secret.get_secret_value(), addresses=addresses)
    for each in settings.receivers:
        url = each.url.get_secret_value()
        match each.kind:
            case ReceiverKind.TEAMS:
                found[each.name] = TeamsNotifier(http, url, addresses)
            case ReceiverKind.SLACK:
                found[each.name] = SlackNotifier(http, url, addresses)
            case ReceiverKind.WEBHOOK:
                key = each.secret.get_secret_value() if each.secret else ""
                found[each.name] = WebhookNotifier(http, url, key, addresses=addresses)
    return found


def credential(settings: Settings) -> AsyncTokenCredential:
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=settings.azure_client_id)


def http() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=httpx.Timeout(30, connect=10))


def directory(credential: AsyncTokenCredential, settings: Settings) -> GraphDirectory:
    from bypass_responder.adapters.graph import GraphDirectory

    return GraphDirectory(credential, settings.graph_url)


def feed(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> ManagementActivityFeed:
    from bypass_responder.adapters.management_activity import ManagementActivityFeed

    return ManagementActivityFeed(
        http,
        credential,
        base_url=settings.management_api_url,
        tenant_id=settings.tenant_id,
        publisher_identifier=settings.publisher_identifier,
    )


def hunting(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> ports.Hunting:
    from bypass_responder.adapters.hunting import GraphHunting

    return GraphHunting(http, credential, settings.graph_url)


def graph_tokens(credential: AsyncTokenCredential) -> self_check.OwnTokens:
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    return OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE})


def graph_reader(credential: AsyncTokenCredential, settings: Settings) -> GraphReader:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.adapters.graph_wire import GraphWire
    from bypass_responder.rights import GRAPH_SCOPE

    return GraphReader(GraphWire(credential, settings.graph_url, scope=GRAPH_SCOPE))


def console_probe(http: httpx.AsyncClient, url: str, settings: Settings) -> ConsoleProbe:
    from bypass_responder.adapters.console_probe import ConsoleProbe

    return ConsoleProbe(http, url, tenant_id=settings.tenant_id, new_id=new_id)


def own_tokens(credential: AsyncTokenCredential, feed: ManagementActivityFeed) -> self_check.OwnTokens:
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    return OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE, Api.MANAGEMENT: feed.scope})


def granted(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> EntraRights:
    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.rights import GRAPH_SCOPE

    return EntraRights(http, credential, settings.graph_url, scope=GRAPH_SCOPE, pause_seconds=0.2)

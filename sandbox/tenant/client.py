"""The control plane from outside: for the demo, the attack command and tests."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from sandbox.tenant.event_subscription import Schema


class SandboxClient:
    """Synchronous; raises ``ValueError`` with the tenant's message when a command is wrong."""

    def __init__(self, url: str) -> None:
        """``url`` is the base URL that the tenant announced."""
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        """Use as a context manager to close the connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, command: str, body: object) -> Any:  # noqa: ANN401 - JSON
        answer = self._http.post(f"/sandbox/{command}", json=body)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise ValueError(answer.json()["error"])
        return answer.raise_for_status().json()

    def state(self) -> dict[str, Any]:
        """Return the whole state of the tenant, with the accounts as they truly are.

        The keys are ``accounts``, ``journal``, ``counters``, ``subscriptions``, ``settings`` and ``blobs``, among
        others.
        """
        state: dict[str, Any] = self._http.get("/sandbox/state").raise_for_status().json()
        return state

    def account(self, name: str) -> dict[str, Any]:
        """The true state of the account with this object id or UPN; ``KeyError`` when there is none."""
        for account in self.state()["accounts"]:
            if name.casefold() in {account["object_id"], account["user_principal_name"].casefold()}:
                found: dict[str, Any] = account
                return found
        raise KeyError(name)

    def touched(self, *, by_others_than: Iterable[str] = ("attacker",)) -> set[str]:
        """Object ids of changed accounts, except by the actors named (attacks are journaled as ``attacker``)."""
        ignored = set(by_others_than)
        return {change["object_id"] for change in self.state()["journal"] if change["by"] not in ignored}

    def settings(self, **values: object) -> dict[str, Any]:
        """Set fields of ``sandbox.tenant.state.Settings``; without any, read them."""
        settings: dict[str, Any] = self._post("settings", values)
        return settings

    def accounts(self, accounts: Iterable[Mapping[str, Any]], *, replace: bool = False) -> list[dict[str, Any]]:
        """Add accounts or set fields of those that are there; ``replace`` removes all others."""
        changed: list[dict[str, Any]] = self._post("accounts", {"accounts": list(accounts), "replace": replace})
        return changed

    def delete(self, account: str) -> None:
        """Delete an account, as an administrator would."""
        self._post("delete", {"account": account})

    def publish(self, records: Sequence[object], **options: float) -> list[str]:
        """Publish records as one blob; return content ids.

        ``options`` are ``delay_seconds``, ``age_seconds`` (late) and ``copies``.
        """
        ids: list[str] = self._post("blobs", {"records": list(records)} | options)
        return ids

    def publish_raw(self, body: bytes, **options: float) -> list[str]:
        """Publish bytes as they are, readable or not."""
        ids: list[str] = self._post("blobs", {"raw": base64.b64encode(body).decode()} | options)
        return ids

    def attack(
        self,
        scenario: str,
        *,
        target: str | None = None,
        actor: str | None = None,
        feed_delay_seconds: float = 0.0,
        hunting_delay_seconds: float | None = None,
        silent: bool = False,
        traces: bool = False,
    ) -> dict[str, Any]:
        """Stage one of ``sandbox.tenant.scenarios.SCENARIOS``; returns its accounts and records.

        Its audit records reach the feed ``feed_delay_seconds`` later, and advanced hunting ``hunting_delay_seconds``
        later; ``silent`` leaves no record at all, and ``traces`` leaves one of every kind in the other logs.
        """
        asked = {"scenario": scenario, "target": target, "actor": actor}
        late = {"feed_delay_seconds": feed_delay_seconds, "hunting_delay_seconds": hunting_delay_seconds}
        staged: dict[str, Any] = self._post("attack", asked | late | {"silent": silent})
        if traces:
            self.traces(staged["target"], staged["actor"])
        return staged

    def traces(self, target: str, actor: str) -> None:
        """Leave one trace of every kind of two accounts in the logs of Microsoft 365."""
        self._post("traces", {"target": target, "actor": actor})

    def add_traces(self, table: str, records: Sequence[object]) -> None:
        """Add records to one log.

        ``table`` is a field of ``sandbox.tenant.logs.traces.Traces``, or a table of advanced hunting.
        """
        self._post("traces", {"table": table, "records": list(records)})

    def audit_queries(self, **how: object) -> None:
        """Set how audit log queries go on: ``running_polls``, ``ends_as``, ``limit``."""
        self._post("audit_queries", how)

    def fault(self, kind: str, endpoint: str = "*", **options: object) -> None:
        """Script a fault: ``sandbox.tenant.faults.Fault``."""
        self._post("faults", {"faults": [{"kind": kind, "endpoint": endpoint} | options]})

    def random_faults(self, seed: int, rates: Mapping[str, float] | str = "mild") -> None:
        """Inject random faults by seed."""
        self._post("faults", {"seed": seed, "rates": rates})

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._post("faults", {"clear": True})

    def subscription(self, status: str, content_type: str = "Audit.Exchange") -> None:
        """``enabled``, ``disabled`` (AF20023) or ``missing`` (AF20022)."""
        self._post("subscription", {"status": status, "content_type": content_type})

    def roles(self, identity: str, resource: str, roles: Sequence[str]) -> None:
        """Set the app roles of ``responder`` or ``worker``; holds for tokens given from now on."""
        self._post("roles", {"identity": identity, "resource": resource, "roles": list(roles)})

    def sync(self) -> None:
        """Run Entra Connect now: directory-synced accounts are enabled again."""
        self._post("sync", {})

    def subscribe_events(
        self,
        endpoint: str | None = None,
        *,
        queue: str | None = None,
        connection_string: str | None = None,
        schema: Schema = "cloudevents",
        name: str = "alerts",
    ) -> None:
        """Deliver the topic's events to a webhook, which has to agree, or to a storage queue.

        ``name`` replaces the subscription of that name. ``settings`` has ``event_copies``, ``event_delay_seconds`` and
        ``event_reorder_seed``.
        """
        to = {"endpoint": endpoint, "queue": queue, "connection_string": connection_string}
        self._post("events", to | {"delivery_schema": schema, "name": name})

    def publish_event(
        self,
        data: object,
        *,
        schema: Schema = "cloudevents",
        event_id: str | None = None,
        event_type: str = "Sandbox.Alert",
        subject: str = "alert",
    ) -> str:
        """Publish one event to the topic, as a SIEM would; gives its id."""
        common = {"id": event_id or str(uuid4()), "subject": subject, "data": data}
        now = datetime.now(UTC).isoformat()
        cloud = {"specversion": "1.0", "source": "/sandbox", "type": event_type, "time": now}
        own = {"eventType": event_type, "eventTime": now, "dataVersion": "1"}
        self.publish_events([common | (cloud if schema == "cloudevents" else own)])
        return str(common["id"])

    def publish_events(self, events: Sequence[object]) -> None:
        """Publish envelopes as they are, in one request.

        Raises ``ValueError`` with the topic's message when it refuses them.
        """
        answer = self._http.post("/topic/api/events", json=list(events))
        if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE}:
            raise ValueError(answer.json()["error"]["message"])
        answer.raise_for_status()

    def events(self) -> dict[str, int]:
        """Return the counts of events and of their deliveries.

        Events are ``published``; deliveries are ``delivered``, ``retried``, ``dead_lettered`` or ``pending``.
        ``state()["dead_letters"]`` has the events that were given up, each with the reason.
        """
        counts: dict[str, int] = self.state()["events"]
        return counts

    def notifications(self) -> list[dict[str, Any]]:
        """What the webhook sink received: ``headers`` and ``body`` (text)."""
        kept: list[dict[str, Any]] = self._http.get("/sandbox/notifications").raise_for_status().json()
        return kept

"""The webhook: what a receiver gets, checked with the reference library of the specification."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bypass_responder.adapters.webhook import WebhookNotifier
from bypass_responder.errors import RefusedError, SettingError, ThrottledError, TransientError
from bypass_responder.model.notification import Delivery, Notification, Severity

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Receiver:
    """A receiver on loopback that keeps what it got and answers with ``status``."""

    def __init__(self) -> None:
        self.status, self.headers = 204, dict[str, str]()
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(outer.status)
                for name, value in ({"content-length": "0"} | outer.headers).items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


@pytest.fixture
def notifier(client: httpx.AsyncClient, receiver: Receiver) -> WebhookNotifier:
    return WebhookNotifier(client, receiver.url, SECRET)


def a_notification(
    notification_id: str = "n1", *, about: str = "contained", severity: Severity = Severity.CRITICAL
) -> Notification:
    return Notification(
        id=notification_id,
        about=about,
        severity=severity,
        title="Adele was contained",
        text="Sign-in is blocked and sessions are revoked.",
        incident_id="i1",
        target="t1",
        facts={"actor": "mallory@contoso.com"},
        left_to_do=("Investigate mallory@contoso.com",),
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        deliveries={"webhook": Delivery(last_error="of no interest to the receiver")},
    )


async def test_the_signature_holds_for_the_reference_library(notifier: WebhookNotifier, receiver: Receiver) -> None:
    await notifier.send([a_notification()])
    [(headers, body)] = receiver.got

    assert Webhook(SECRET).verify(body, headers) == json.loads(body)


async def test_a_changed_body_does_not_hold(notifier: WebhookNotifier, receiver: Receiver) -> None:
    await notifier.send([a_notification()])
    [(headers, body)] = receiver.got

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"Adele", b"Alice"), headers)


async def test_a_secret_of_plain_text_signs_with_its_bytes(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await WebhookNotifier(client, receiver.url, "a long secret of your own").send([a_notification()])
    [(headers, body)] = receiver.got
    same = base64.b64encode(b"a long secret of your own").decode()

    assert Webhook(same).verify(body, headers)


async def test_nothing_is_signed_with_a_reference_that_was_not_resolved(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/notification-webhook-secret)"
    with pytest.raises(TransientError, match="into the vault"):
        await WebhookNotifier(client, receiver.url, reference).send([a_notification()])

    assert receiver.got == []


async def test_a_note_is_sent_with_what_is_left_to_do(notifier: WebhookNotifier, receiver: Receiver) -> None:
    await notifier.send([a_notification()])
    message = json.loads(receiver.got[0][1])

    assert message["type"] == "bypass_responder.notification"
    assert message["data"] == {
        "id": "n1",
        "about": "contained",
        "severity": "critical",
        "title": "Adele was contained",
        "text": "Sign-in is blocked and sessions are revoked.",
        "incident_id": "i1",
        "target": "t1",
        "facts": {"actor": "mallory@contoso.com"},
        "left_to_do": ["Investigate mallory@contoso.com"],
        "commands": [],
        "links": {"runbook": "docs/runbook.md#notification-contained"},
        "created_at": "2026-03-01T00:00:00Z",
    }


async def test_several_notes_are_one_message_with_counts(notifier: WebhookNotifier, receiver: Receiver) -> None:
    await notifier.send(
        [a_notification("a"), a_notification("b"), a_notification("c", about="held", severity=Severity.WARNING)]
    )
    [(_, body)] = receiver.got
    data = json.loads(body)["data"]

    assert [notification["id"] for notification in data["notifications"]] == ["a", "b", "c"]
    assert data["total"] == 3
    assert data["by_about"] == {"contained": 2, "held": 1}
    assert data["by_severity"] == {"critical": 2, "warning": 1}


async def test_a_repetition_has_the_same_id(notifier: WebhookNotifier, receiver: Receiver) -> None:
    await notifier.send([a_notification()])
    await notifier.send([a_notification()])
    await notifier.send([a_notification("n2")])
    ids = [headers["webhook-id"] for headers, _ in receiver.got]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_a_receiver_in_trouble_is_tried_again(notifier: WebhookNotifier, receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(TransientError):
        await notifier.send([a_notification()])


@pytest.mark.parametrize("status", [400, 401, 404, 410])
async def test_a_receiver_that_says_no_is_not_tried_again(
    notifier: WebhookNotifier, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    with pytest.raises(RefusedError, match=str(status)):
        await notifier.send([a_notification()])


@pytest.mark.parametrize(("given", "seconds"), [({"retry-after": "7"}, 7), ({}, 60), ({"retry-after": "soon"}, 60)])
async def test_a_receiver_names_the_wait(
    notifier: WebhookNotifier, receiver: Receiver, given: dict[str, str], seconds: float
) -> None:
    receiver.status, receiver.headers = 429, given
    with pytest.raises(ThrottledError) as caught:
        await notifier.send([a_notification()])

    assert caught.value.retry_after_seconds == seconds


async def test_a_redirect_is_not_followed(notifier: WebhookNotifier, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    with pytest.raises(RefusedError):
        await notifier.send([a_notification()])

    assert len(receiver.got) == 1


async def test_a_client_that_follows_redirects_does_not_here(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        with pytest.raises(RefusedError):
            await WebhookNotifier(client, receiver.url, SECRET).send([a_notification()])


async def test_nobody_at_the_address_is_transient(client: httpx.AsyncClient) -> None:
    with pytest.raises(TransientError):
        await WebhookNotifier(client, "http://127.0.0.1:9/hook?token=secret", SECRET).send([a_notification()])


async def test_neither_address_nor_secret_is_in_an_error(client: httpx.AsyncClient) -> None:
    with pytest.raises(TransientError) as caught:
        await WebhookNotifier(client, "http://127.0.0.1:9/hook?token=secret", SECRET).send([a_notification()])

    assert "token=secret" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_secret_that_is_no_base64_is_a_wrong_setting() -> None:
    with pytest.raises(SettingError, match="NOTIFICATION_WEBHOOK_SECRET"):
        WebhookNotifier(httpx.AsyncClient(), "https://example.com", "whsec_not base64")

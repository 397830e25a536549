"""Those who receive notifications, and where a notification leads to."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, TypeAdapter, ValidationError, field_validator, model_validator

from bypass_responder.model.base import Value, first_problem
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.url import checked_url

WEBHOOK = "webhook"
"""The name of the receiver that has separate settings."""
REFERENCE = "@Microsoft.KeyVault("
"""Prefix of a key vault reference that the platform could not resolve."""
MOST_RECEIVERS = 20


class ReceiverKind(StrEnum):
    """How a receiver takes a message."""

    WEBHOOK = "webhook"
    TEAMS = "teams"
    SLACK = "slack"


class Receiver(Value):
    """One receiver, as the setting NOTIFICATION_RECEIVERS has it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9]){0,39}$")]
    kind: ReceiverKind
    url: SecretStr
    """Of Teams and Slack it is the secret: anyone who has it can post."""
    secret: SecretStr | None = None
    """Of a webhook: signs the messages."""
    minimum: Severity = Severity.INFO

    @field_validator("url")
    @classmethod
    def _is_https(cls, url: SecretStr) -> SecretStr:
        return SecretStr(checked_url(url.get_secret_value()))

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if (self.kind is ReceiverKind.WEBHOOK) != (self.secret is not None and bool(self.secret.get_secret_value())):
            msg = f"{self.name} needs a secret" if self.kind is ReceiverKind.WEBHOOK else "only a webhook has a secret"
            raise ValueError(msg)
        return self


@cache
def _receivers() -> TypeAdapter[tuple[Receiver, ...]]:
    return TypeAdapter(Annotated[tuple[Receiver, ...], Field(max_length=MOST_RECEIVERS)])


def receivers_of(text: str) -> tuple[Receiver, ...]:
    """Return the receivers of a JSON array; none of a vault reference.

    Raises ValueError, which repeats no value.
    """
    if text.startswith(REFERENCE):
        return ()
    try:
        found = _receivers().validate_json(text)
    except ValidationError as error:
        msg = f"must be a JSON array of receivers (docs/notifications.md): {first_problem(error)}"
        raise ValueError(msg) from None
    names = [receiver.name for receiver in found]
    if len({*names, WEBHOOK}) <= len(names):
        msg = f"must give each receiver a unique name other than {WEBHOOK}"
        raise ValueError(msg)
    return found


class Addresses(Value):
    """Where the links of a notification lead to."""

    console: str | None = None
    runbook: str = "docs/runbook.md"

    def of(self, notification: Notification) -> dict[str, str]:
        """Return the links: the incident in the console, when there is one, and the entry of the runbook."""
        alert = notification.facts.get("alert") if notification.about in {"health", "recovered"} else None
        anchor = f"alert-{alert}" if alert else f"notification-{notification.about}"
        links = {"runbook": f"{self.runbook}#{anchor}"}
        if self.console and notification.incident_id:
            links["incident"] = f"{self.console}/incidents/{notification.incident_id}"
        return links

    def button(self, notification: Notification) -> tuple[str, str] | None:
        """Return the title and the address of the one button; None without a page on the web."""
        links = self.of(notification)
        if incident := links.get("incident"):
            return "Open the incident", incident
        return ("Open the runbook", links["runbook"]) if links["runbook"].startswith("http") else None

"""Every setting, typed and defined once.

docs/settings.md explains each; a test keeps the two consistent.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator

from bypass_responder.errors import SettingError
from bypass_responder.model.base import Value, guid_or_none, plain
from bypass_responder.model.notification import Severity
from bypass_responder.model.receiver import WEBHOOK, Addresses, Receiver, receivers_of
from bypass_responder.model.step import CONTROLS, StepKind
from bypass_responder.model.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mode(StrEnum):
    """observe decides and records everything but changes nothing; enforce acts."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class ActorResponse(StrEnum):
    """How the responder treats the actor, who ran the cmdlet."""

    NOTIFY = "notify"
    CONTAIN = "contain"


class AllowlistApproval(StrEnum):
    """Whether an allowlist entry counts only after a person has approved exactly this row."""

    OFF = "off"
    REQUIRED = "required"


def _guid(text: object) -> str:
    guid = guid_or_none(str(text))
    if guid is None:
        msg = "must be a GUID such as 00000000-0000-0000-0000-000000000000"
        raise ValueError(msg)
    return guid


def _guids(text: object) -> frozenset[str]:
    words = [word for word in str(text).replace(";", ",").split(",") if word.strip()]
    if [word.strip().lower() for word in words] == ["none"]:
        return frozenset()
    if not words:
        msg = "must be object ids separated by commas, or the word none"
        raise ValueError(msg)
    return frozenset(_guid(word) for word in words)


def _controls(text: object) -> frozenset[StepKind]:
    words = [word.strip().lower() for word in str(text).replace(";", ",").split(",") if word.strip()]
    if words == ["none"]:
        return frozenset()
    if not words or not set(words) <= set(CONTROLS):
        msg = f"must be a comma-separated list of {', '.join(CONTROLS)}, or the word none"
        raise ValueError(msg)
    return frozenset(StepKind(word) for word in words)


def mailbox_names(text: object) -> frozenset[str]:
    """Return object ids and addresses, in lower case, of a text that separates them by commas."""
    return frozenset(word.strip().lower() for word in str(text).replace(";", ",").split(",") if word.strip())


def _actors(text: object) -> frozenset[str]:
    words = [word.strip().casefold() for word in str(text).replace(";", ",").split(",") if word.strip()]
    if words == ["none"]:
        return frozenset()
    wrong = [word for word in words if not guid_or_none(word) and not _NAME.match(word)]
    if wrong or not words:
        msg = "must be object ids, application ids or user principal names separated by commas, or the word none"
        raise ValueError(msg)
    return frozenset(guid_or_none(word) or word for word in words)


def _pattern(text: object) -> str:
    try:
        re.compile(str(text))
    except re.error as problem:
        msg = f"must be a regular expression such as CHG-[0-9]+: {problem}"
        raise ValueError(msg) from problem
    return str(text)


LONGEST_DAYS = 366
"""Every entry expires within a year."""


def _days_by_class(text: object) -> dict[str, int]:
    """Read ``180,vendor=90``: days for every reason class, under the empty name, and for single ones."""
    found: dict[str, int] = {}
    for word in (word.strip() for word in str(text).lower().replace(";", ",").split(",") if word.strip()):
        name, _, days = word.rpartition("=")
        if not days.strip().isdecimal() or not 1 <= int(days) <= LONGEST_DAYS or name.strip() in found:
            msg = f"must be days from 1 to {LONGEST_DAYS}, such as 180, or 180,vendor=90 for single reason classes"
            raise ValueError(msg)
        found[name.strip()] = int(days)
    return found


def _longest(text: object) -> str:
    _days_by_class(text)
    return str(text)


_NAME = re.compile(r"[^@\s]+@[^@\s]+\Z")
QueueName = Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9])+$")]


class Storage(Value):
    """The data account: a connection string, or service addresses for access without a key."""

    connection_string: SecretStr | None = None
    table_service_uri: Url | None = None
    queue_service_uri: Url | None = None
    blob_service_uri: Url | None = None


class Settings(Value):
    """All settings, in upper case in the environment (``ResponderStorage`` like Functions connections)."""

    tenant_id: Annotated[str, BeforeValidator(_guid)]
    mode: Mode = Mode.OBSERVE
    protected_object_ids: Annotated[frozenset[str], BeforeValidator(_guids)] | None = None
    automatic_controls: Annotated[frozenset[StepKind], BeforeValidator(_controls)] = frozenset(CONTROLS)
    containment_limit_per_hour: Annotated[int, Field(ge=0, le=1000)] = 5
    actor_response: ActorResponse = ActorResponse.NOTIFY
    authorized_actors: Annotated[frozenset[str], BeforeValidator(_actors)] | None = None
    change_ticket_pattern: Annotated[str, BeforeValidator(_pattern)] | None = None
    allowlist_approval: AllowlistApproval = AllowlistApproval.OFF
    allowlist_longest_days: Annotated[str, BeforeValidator(_longest)] = str(LONGEST_DAYS)
    allowlist_review_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 90
    feed_silence_hours: Annotated[int, Field(ge=1, le=168)] = 6
    decision_reminder_hours: Annotated[int, Field(ge=1, le=168)] = 4
    poll_schedule: str = "0 * * * * *"
    hunting_schedule: str = "15 */5 * * * *"
    resume_schedule: str = "30 * * * * *"
    evidence_schedule: str = "15 */5 * * * *"
    evidence_retention_days: Annotated[int, Field(ge=30, le=3650)] = 180
    access_retention_days: Annotated[int, Field(ge=30, le=3650)] = 400
    exchange_commands_queue: QueueName = "exchange-commands"
    exchange_checks_queue: QueueName = "exchange-checks"
    exchange_sweeps_queue: QueueName = "exchange-sweeps"
    exchange_results_queue: QueueName = "exchange-results"
    exchange_reads_queue: QueueName = "exchange-reads"
    exchange_read_results_queue: QueueName = "exchange-read-results"
    graph_url: Url = "https://graph.microsoft.com"
    management_api_url: Url = "https://manage.office.com"
    publisher_identifier: Annotated[str, BeforeValidator(_guid)] | None = None
    console_url: Url | None = None
    notification_webhook_url: Url | None = None
    notification_webhook_secret: SecretStr | None = None
    notification_webhook_minimum: Severity = Severity.INFO
    notification_receivers: SecretStr | None = None
    runbook_url: Url | None = None
    alerts_queue: QueueName = "alerts"
    decisions_queue: QueueName = "decisions"
    notifications_queue: QueueName = "notifications"
    decisions_console_queue: QueueName = "decisions-console"
    sweep_schedule: str = "0 */15 * * * *"
    posture_schedule: str = "0 */10 * * * *"
    posture_changes_per_hour: Annotated[int, Field(ge=0, le=1000)] = 200
    sweep_timeout_seconds: Annotated[int, Field(ge=5, le=86400)] = 4200
    sweep_overdue_minutes: Annotated[int, Field(ge=1, le=10080)] = 60
    hint_checks_per_hour: Annotated[int, Field(ge=0, le=1000)] = 60
    exchange_worker_ids: Annotated[frozenset[str], BeforeValidator(_guids)] = frozenset()
    watched_mailboxes: Annotated[frozenset[str], BeforeValidator(mailbox_names)] = frozenset()
    azure_client_id: Annotated[str, BeforeValidator(_guid)] | None = None
    command_timeout_seconds: Annotated[int, Field(ge=5, le=3600)] = 660
    storage: Storage

    @property
    def enforce(self) -> bool:
        """True if the responder may change the tenant."""
        return self.mode is Mode.ENFORCE

    @property
    def approval_required(self) -> bool:
        """True if an allowlist entry counts only once it is approved."""
        return self.allowlist_approval is AllowlistApproval.REQUIRED

    def longest_days(self, reason_class: str) -> int:
        """Return how many days ahead an entry of this reason class may expire."""
        days = _days_by_class(self.allowlist_longest_days)
        return days.get(reason_class, days.get("", LONGEST_DAYS))

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that the app uses; each has a matching ``-poison`` queue."""
        answers = (self.exchange_results_queue, self.exchange_read_results_queue)
        return (*self.worker_queues, *answers, self.alerts_queue, *self.decision_queues, self.notifications_queue)

    @property
    def decision_queues(self) -> tuple[str, str]:
        """The queues of people's decisions, which have a separate kind of poison queue."""
        return (self.decisions_queue, self.decisions_console_queue)

    @property
    def worker_queues(self) -> tuple[str, ...]:
        """The queues that the Exchange worker reads. The app only sends to them."""
        commands = (self.exchange_commands_queue, self.exchange_checks_queue)
        return (*commands, self.exchange_sweeps_queue, self.exchange_reads_queue)

    @property
    def protected(self) -> frozenset[str]:
        """Object ids that are never blocked."""
        return self.protected_object_ids or frozenset()

    @cached_property
    def receivers(self) -> tuple[Receiver, ...]:
        """The receivers of NOTIFICATION_RECEIVERS; none while the vault has not resolved it."""
        text = self.notification_receivers
        return receivers_of(text.get_secret_value()) if text else ()

    @cached_property
    def minimum_severities(self) -> dict[str, Severity]:
        """The lowest severity of which each receiver is notified, by its name."""
        return {WEBHOOK: self.notification_webhook_minimum} | {each.name: each.minimum for each in self.receivers}

    @property
    def addresses(self) -> Addresses:
        """Where the links of notifications lead to."""
        runbook = {"runbook": self.runbook_url} if self.runbook_url else {}
        return Addresses(console=self.console_url, **runbook)

    @field_validator("notification_receivers")
    @classmethod
    def _receivers_are_readable(cls, text: SecretStr | None) -> SecretStr | None:
        if text is not None:
            receivers_of(text.get_secret_value())
        return text

    @model_validator(mode="after")
    def _enforce_names_protected(self) -> Self:
        if self.enforce and self.protected_object_ids is None:
            msg = (
                "PROTECTED_OBJECT_IDS must list the object ids of your break-glass accounts before MODE=enforce, "
                "or be the word none"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _webhook_has_secret(self) -> Self:
        if self.notification_webhook_url and not self.notification_webhook_secret:
            msg = "NOTIFICATION_WEBHOOK_SECRET must be set, because NOTIFICATION_WEBHOOK_URL is set"
            raise ValueError(msg)
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; an empty value counts as not set.

        Raises a SettingError that names the first missing or invalid one.
        """
        given: dict[str, Any] = {
            name: environment[name.upper()]
            for name in cls.model_fields
            if name != "storage" and environment.get(name.upper(), "").strip()
        }
        given["storage"] = _storage(environment)
        try:
            return cls(**given)
        except ValidationError as problem:
            first = problem.errors()[0]
            name = ".".join(str(part) for part in first["loc"]).upper()
            what = plain(first["msg"])
            if first["type"] == "missing":
                what = "is not set"
            hidden = not name or any(word in name for word in ("SECRET", "URL", "RECEIVERS"))
            value = "" if hidden else f" (it is {first['input']!r:.80})"
            raise SettingError(f"{name} {what}{value if first['type'] != 'missing' else ''}.".strip()) from None


class GrantSettings(Value):
    """The identities to which `bypassctl grant` grants permissions.

    `azd provision` sets all of these values in the azd environment.
    """

    tenant_id: Annotated[str, BeforeValidator(_guid)]
    responder_principal_id: Annotated[str, BeforeValidator(_guid)]
    responder_client_id: Annotated[str, BeforeValidator(_guid)]
    worker_principal_id: Annotated[str, BeforeValidator(_guid)]
    worker_client_id: Annotated[str, BeforeValidator(_guid)]
    console_principal_id: Annotated[str, BeforeValidator(_guid)] | None = None
    graph_url: Url = "https://graph.microsoft.com"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the ids. Raises a SettingError that names the first missing or invalid one."""
        names = {name: name.upper() for name in cls.model_fields if environment.get(name.upper(), "").strip()}
        try:
            return cls(**{name: environment[variable] for name, variable in names.items()})
        except ValidationError as problem:
            first = problem.errors()[0]
            name = str(first["loc"][0]).upper()
            what = "is not set" if first["type"] == "missing" else plain(first["msg"])
            raise SettingError(f"{name} {what}; `azd env get-values` prints the ids after azd provision.") from None


def _storage(environment: Mapping[str, str]) -> Storage:
    """``ResponderStorage`` is a connection string, or ``ResponderStorage__…ServiceUri`` three addresses."""
    connection = environment.get("ResponderStorage", "").strip()
    if connection:
        return Storage(connection_string=SecretStr(connection))
    uris = {
        kind: environment.get(f"ResponderStorage__{kind}ServiceUri", "").strip() for kind in ("table", "queue", "blob")
    }
    missing = [f"ResponderStorage__{kind}ServiceUri" for kind, uri in uris.items() if not uri]
    if missing:
        raise SettingError(f"ResponderStorage is not set, and neither is {' or '.join(missing)}.")
    try:
        return Storage(**{f"{kind}_service_uri": uri for kind, uri in uris.items()})
    except ValidationError as problem:
        name = str(problem.errors()[0]["loc"][0]).split("_", maxsplit=1)[0]
        raise SettingError(f"ResponderStorage__{name}ServiceUri must be an https:// address.") from None

"""The error tree: the type says whether to retry, ``diagnostics`` says what a person does.

::

    ResponderError
    ├── SettingError            a setting is missing or wrong: nothing starts
    ├── InputError              input cannot be read: kept as unreadable, never acted on
    ├── TransientError          retry later: nothing was decided
    │   ├── ThrottledError      the service named a time to wait
    │   ├── ConflictError       the row changed meanwhile: read it again
    │   ├── NoTokenError        the caller has no token: a person signs in, the app retries
    │   └── UnreadError         an account was not read for so long that a person should know
    ├── PermissionMissingError  a permission is missing: retrying does not help until it is granted
    ├── NotFoundError           the object does not exist (any more)
    ├── RefusedError            the service, or a rule of this project, refuses for good
    └── FeedError               an AF code of the Management Activity API
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_COMMAND = re.compile(r"\b(?:bypassctl|azd?) [a-z]")


class ResponderError(Exception):
    """Root of every error that this project raises on purpose."""

    advice = "Read the message; nothing was changed."

    def diagnostics(self) -> str:
        """One line: what happened and what the operator does next."""
        return f"{self} {self.advice}"


class _FixNamingError(ResponderError):
    """Of an error whose message may name a command, which is advice enough."""

    def diagnostics(self) -> str:
        """One line: what happened and what the operator does next."""
        return str(self) if _COMMAND.search(str(self)) else super().diagnostics()


class SettingError(ResponderError):
    """A setting is missing or wrong."""

    advice = "Correct the setting and start again; docs/settings.md lists every setting."


class InputError(ResponderError):
    """Input that cannot be read. ``reason`` is machine-readable and is also the word in logs and tests."""

    advice = "No action was taken; see `bypassctl status` and `bypassctl log verify`."

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the machine-readable ``reason`` beside the sentence for people."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class TransientError(ResponderError):
    """The service did not answer, or reported a failure. Nothing was decided."""

    advice = "Try again shortly. The app retries automatically; check the service's health if it lasts."


class ThrottledError(TransientError):
    """The service asked us to wait ``retry_after_seconds``."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        """Keep the wait that the service named, in seconds."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ConflictError(TransientError):
    """A row changed since it was read (ETag). Read it again and decide again."""


class NoTokenError(TransientError):
    """No token for the caller: a person is not signed in any more, or the app's identity was not served."""

    advice = "Sign in: az login. The app retries automatically; check its managed identity if it lasts."


class UnreadError(TransientError):
    """An account with due work could not be read, or not in time, for 15 minutes or longer."""

    def __init__(self, target: str, since: datetime, why: Exception) -> None:
        """Keep the account beside the message."""
        super().__init__(f"{target}, since {since:%Y-%m-%d %H:%M:%SZ}: {why}")
        self.target = target


class PermissionMissingError(ResponderError):
    """A permission is missing. ``permission`` names it the way an administrator grants it."""

    advice = "Grant it (docs/permissions.md)."

    def __init__(self, message: str, *, permission: str) -> None:
        """Keep the name of the permission beside the message."""
        super().__init__(f"{message} Missing: {permission}.")
        self.permission = permission


class NotFoundError(_FixNamingError):
    """The object does not exist, or no longer exists."""

    advice = "Check the id, or give the whole user principal name, such as megan@contoso.com."


class RefusedError(_FixNamingError):
    """The service, or a rule of this project, refuses for good."""

    advice = "Trying again without a change will not help."


class FeedError(ResponderError):
    """An error of the Management Activity API, identified by its AF code, not by its HTTP status."""

    advice = "docs/runbook.md lists the AF codes."

    def __init__(self, code: str, message: str) -> None:
        """Keep the AF code, for example ``AF20022``."""
        super().__init__(f"{code}: {message}")
        self.code = code

"""Translates Azure Storage's errors into ours; every storage adapter uses it."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from bypass_responder.errors import (
    ConflictError,
    NotFoundError,
    NoTokenError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.retry_after import seconds_to_wait

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_STATUS: dict[int | None, type[ConflictError | NotFoundError | RefusedError]] = {
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.PRECONDITION_FAILED: ConflictError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.BAD_REQUEST: RefusedError,
    HTTPStatus.METHOD_NOT_ALLOWED: RefusedError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: RefusedError,
}
_PASSING = {
    "TableNotFound",
    "TableBeingDeleted",
    "QueueNotFound",
    "QueueBeingDeleted",
    "ContainerNotFound",
    "ContainerBeingDeleted",
}
_UNAUTHORIZED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_DEFAULT_WAIT_SECONDS = 1.0
_ROLE = "Storage Table, Queue and Blob Data Contributor on the responder's storage account"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn an error of the storage SDKs into one of ours; ``what`` says what was tried, for people.

    409 and 412 are ConflictError, a missing row, message or blob NotFoundError (a missing table, queue or container is
    transient: it is being made or deleted), 401 and 403 PermissionMissingError, a request that can never work
    RefusedError, a credential without a token NoTokenError; everything else, the network above all, is TransientError.
    Tables are made by the infrastructure.
    """
    try:
        yield
    except AzureError as error:
        raise _ours(what, error) from error


def _ours(what: str, error: AzureError) -> ResponderError:
    message = f"{what}: {_said(error)}"
    if isinstance(error, ClientAuthenticationError) and error.response is None:  # of the credential, not of storage
        return NoTokenError(message)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, HttpResponseError) and status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(message, retry_after_seconds=_wait_seconds(error))
    if status in _UNAUTHORIZED:
        return PermissionMissingError(message, permission=_ROLE)
    return _BY_STATUS.get(status if code_of(error) not in _PASSING else None, TransientError)(message)


def _said(error: AzureError) -> str:
    """The first line, without request ids."""
    text = str(error.message or type(error).__name__)
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}"


def code_of(error: AzureError) -> str:
    """The service's own code, such as ``TableNotFound``; empty where it gave none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _wait_seconds(error: HttpResponseError) -> float:
    return seconds_to_wait(getattr(error.response, "headers", {}), default=_DEFAULT_WAIT_SECONDS)

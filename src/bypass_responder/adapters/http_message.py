"""One message to a receiver over HTTPS, and what its answer means.

No error repeats the address, because it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import httpx

from bypass_responder.errors import RefusedError, ThrottledError, TransientError
from bypass_responder.model.retry_after import seconds_to_wait

_DEFAULT_WAIT_SECONDS = 60.0
_TIMEOUT_SECONDS = 10.0


async def post(
    http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str], *, to: str, pages: bool = True
) -> None:
    """Send a body. 2xx is accepted; 408, 429, 5xx and silence are transient.

    A redirect is refused, not followed.
    ``to``: the receiver, for errors. ``pages``: False where a web page as the answer means that it was not accepted.
    """
    sent = {"content-type": "application/json", **headers}
    try:
        answer = await http.post(url, content=body, headers=sent, timeout=_TIMEOUT_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        kind = type(problem).__name__
        raise TransientError(f"{to} did not answer ({kind}).") from None
    _judge(answer, to, pages=pages)


def _judge(answer: httpx.Response, to: str, *, pages: bool) -> None:
    page = answer.headers.get("content-type", "").startswith("text/html")
    if answer.is_success and page and not pages:
        raise RefusedError(f"{to} answered {answer.status_code} with a web page. Is it the address of a sign-in?")
    if answer.is_success:
        return
    text = f"{to} answered {answer.status_code}."
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        wait = seconds_to_wait(answer.headers, default=_DEFAULT_WAIT_SECONDS)
        raise ThrottledError(text, retry_after_seconds=wait)
    if answer.is_server_error or answer.status_code == HTTPStatus.REQUEST_TIMEOUT:
        raise TransientError(text)
    if answer.is_redirect:
        raise RefusedError(f"{to} redirects ({answer.status_code}), which is not followed: set the final address.")
    raise RefusedError(text)

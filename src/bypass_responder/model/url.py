"""Addresses that settings may have: https, and http for this machine only."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def checked_url(text: object) -> str:
    """Return the address without a slash at its end. Raises ValueError, which does not repeat it."""
    url = str(text).strip().rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    own = parts.scheme == "http" and parts.hostname in LOOPBACK and parts.username is None
    if not own and not (parts.scheme == "https" and parts.hostname):
        msg = "must be an https:// address (http for localhost only)"
        raise ValueError(msg)
    return url


Url = Annotated[str, BeforeValidator(checked_url)]

"""The text of a queue message."""

from __future__ import annotations

import base64
import binascii

from bypass_responder.model.encoding import decoded


def text_of(content: str) -> str:
    """Return the message as its sender wrote it; what is not base64 text is returned unchanged."""
    try:
        return decoded(base64.b64decode(content, validate=True))
    except (binascii.Error, UnicodeDecodeError):
        return content

"""One JSON value, parsed so that nothing is lost which two readers could read differently.

Names are compared without case, so ``Operation`` beside ``operation`` is a repetition; what was repeated is remembered.
Numbers keep the text that was written.
"""

from __future__ import annotations

import json
from typing import Any

from bypass_responder.errors import InputError


class Number(str):
    """A JSON number as written. Its type distinguishes it from a JSON string."""

    __slots__ = ()


class Fields(dict[str, Any]):
    """A JSON object or CSV row under lower-case names. ``repeated``: every value of a repeated name."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        """Keep the pairs; of a repeated name, the last value stands here."""
        super().__init__()
        self.names: dict[str, str] = {}
        self.repeated: dict[str, list[Any]] = {}
        for name, value in pairs:
            low = name.lower()
            if low in self:
                self.repeated.setdefault(low, [self[low]]).append(value)
            self[low] = value
            self.names[low] = name

    def every_value(self) -> list[Any]:
        """Every value, each once; those of a repeated name too."""
        return [value for low in self for value in self.repeated.get(low, [self[low]])]


_DECODER = json.JSONDecoder(object_pairs_hook=Fields, parse_int=Number, parse_float=Number, strict=False)


def parse(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text. Raises InputError ``not_json`` or ``too_deep``."""
    try:
        return _DECODER.decode(text.strip().removeprefix("\ufeff"))
    except RecursionError:
        raise InputError(reason="too_deep", detail="the value is nested too deeply") from None
    except ValueError as error:
        raise InputError(reason="not_json", detail=str(error)) from None


def parse_inside(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of JSON text in a field. Raises InputError; invalid JSON is ``wrong_type`` here."""
    try:
        return parse(text)
    except InputError as error:
        reason = "wrong_type" if error.reason == "not_json" else error.reason
        raise InputError(reason, detail=error.detail) from None


def as_written(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with its names as they were spelled, for ``json.dumps``."""
    match value:
        case Fields():
            return {value.names[low]: as_written(inner) for low, inner in value.items()}
        case list():
            return [as_written(inner) for inner in value]
        case _:
            return value

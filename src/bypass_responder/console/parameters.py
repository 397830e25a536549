"""What a route reads as a whole from a query, a form or a body."""

from __future__ import annotations

from pydantic import ConfigDict

from bypass_responder.model.base import Value


class Parameters(Value):
    """A value of a request. FastAPI needs its validator as soon as the class is there."""

    model_config = ConfigDict(defer_build=False)

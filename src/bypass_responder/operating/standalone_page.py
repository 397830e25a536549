"""The parts common to HTML files that load nothing and have no scripts.

Everything in them is escaped and printable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bypass_responder.model.record import printable

if TYPE_CHECKING:
    from collections.abc import Callable


def environment(package: str, **filters: Callable[..., Any]) -> Environment:
    """Return the environment of the templates beside a package's modules. An unknown name is an error."""
    made = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= filters
    return made


def _shown(value: object) -> str:
    """Return a text printable: control characters and marks of direction escaped.

    Markup is the template's own.
    """
    return value if isinstance(value, Markup) else printable(str(value))

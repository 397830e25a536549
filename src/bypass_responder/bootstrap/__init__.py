"""The only package that names concrete classes.

The first call builds; a worker process keeps what was built.
"""

from bypass_responder.bootstrap.build_responder import build, responder
from bypass_responder.bootstrap.console import ConsoleServices, build_console
from bypass_responder.bootstrap.grant_rights import Rights, build_rights
from bypass_responder.bootstrap.use_cases import Responder

__all__ = ["ConsoleServices", "Responder", "Rights", "build", "build_console", "build_rights", "responder"]

"""``bypassctl`` with all its commands, for operators."""

from __future__ import annotations

from bypass_responder.cli.commands import COMMANDS, GROUPS, of

app = of((*COMMANDS, *GROUPS))

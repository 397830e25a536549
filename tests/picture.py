"""Draw docs/run.svg: one run of the responder on a fixed clock, as the demo prints it.

`make picture` writes the file. The run is the real code on fakes (tests/world.py), so the picture changes with the
texts of the log and with nothing else.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import re
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bypass_responder.operating.verify_log import verify_log
from sandbox.demo.teller import Teller
from tests.world import ALEX, MALLORY, World, a_finding, an_account, an_entry

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "run.svg"
WIDTH = 120
SERVICE = "33333333-3333-4333-8333-333333333333"


class Run:
    """An attack on a person, and an allowlisted service account, in one world."""

    def __init__(self) -> None:
        accounts = (an_account(), an_account(SERVICE, "svc-archive@contoso.onmicrosoft.com"))
        self.world = World(*accounts)
        self.console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
        self.teller = Teller(self.world.ledger, self.console)
        self._records = itertools.count(1)

    async def reports(self, object_id: str, name: str) -> None:
        """The audit feed delivers a record: the actor switched a bypass on, half an hour ago."""
        self.world.bypassed[object_id] = True
        at = self.world.now
        self.teller.say(f"audit feed: {MALLORY} ran Set-MailboxAuditBypassAssociation on {name}", at=at, style="bold")
        finding = a_finding(
            id=f"record-{next(self._records)}",
            target=object_id,
            object_id_text=object_id,
            identity_text=name,
            effective_at=at - timedelta(minutes=30),
            received_at=at,
        )
        await self.world.sees(finding)
        await self.teller.catch_up()

    async def play(self) -> None:
        """Everything, to the end of the log's verification."""
        world = self.world
        world.allowlist.rows[SERVICE] = an_entry(object_id=SERVICE)
        await self.reports(SERVICE, "svc-archive@contoso.onmicrosoft.com")
        await self.reports(ALEX, "alex@contoso.onmicrosoft.com")
        world.now += timedelta(seconds=9)
        await world.answer()
        await self.teller.catch_up()
        await world.passes(seconds=30)
        await self.teller.catch_up()
        self.teller.blind_windows()
        checked = await verify_log(world.ledger, world.checkpoints)
        line = f"Response log: {checked.entries} entries verified, {len(checked.problems)} problems"
        self.console.print(Text(line, style="bold green"), highlight=False)


def draw() -> str:
    """The picture as SVG, the same each time, without any outside address."""
    run = Run()
    asyncio.run(run.play())
    svg = run.console.export_svg(title="mailbox audit bypass responder", unique_id="run")
    return re.sub(r"\s*(@font-face \{.*?\}|<!--.*?-->)", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")

"""The use cases with everything that they need.

Each loads its code at its first run, and sends its log lines at the end.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.bootstrap.connected import Connected

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder.adapters.storage_clients import StorageClients
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services


@dataclass(frozen=True)
class Responder(Connected):
    """The use cases with everything they need; what ``function_app`` and ``bypassctl`` call."""

    services: Services
    storage: StorageClients
    credential: AsyncTokenCredential
    self_checks: SelfChecks

    async def poll_audit_feed(self) -> None:
        """Read the audit feed and settle its findings."""
        from bypass_responder.triggers.poll_audit_feed import poll_audit_feed

        await run_and_flush("poll_audit_feed", poll_audit_feed(self.services))

    async def hunt_audit_events(self) -> None:
        """Read Defender's table of cloud events and settle its findings."""
        from bypass_responder.triggers.hunt_audit_events import hunt_audit_events

        await self._noted("hunt_audit_events", hunt_audit_events(self.services))

    async def resume_responses(self) -> None:
        """Take up everything that is due."""
        from bypass_responder.triggers.resume_responses import resume_responses

        await run_and_flush("resume_responses", resume_responses(self.services, self.self_checks))

    async def sweep_bypass_state(self) -> None:
        """Ask the Exchange worker who is bypassed, unless it is asked already."""
        from bypass_responder.triggers.sweep_bypass_state import sweep_bypass_state

        await run_and_flush("sweep_bypass_state", sweep_bypass_state(self.services))

    async def gather_evidence(self) -> None:
        """Ask the sources of evidence what is due."""
        from bypass_responder.triggers.gather_evidence import gather_evidence

        await self._noted("gather_evidence", gather_evidence(self.services))

    async def read_posture(self) -> None:
        """Begin, continue or compare the day's read of all mailboxes."""
        from bypass_responder.triggers.read_posture import read_posture

        await self._noted("read_posture", read_posture(self.services))

    async def receive_alert(self, body: bytes) -> None:
        """Take one event, in the JSON of its envelope: a hint."""
        from bypass_responder.triggers.receive_alert import receive_alert

        await run_and_flush("receive_alert", receive_alert(body, self.services))

    async def record_exchange_result(self, body: bytes) -> None:
        """Take one answer of the Exchange worker."""
        from bypass_responder.triggers.record_exchange_result import record_exchange_result

        await run_and_flush("record_exchange_result", record_exchange_result(body, self.services))

    async def record_exchange_read(self, body: bytes) -> None:
        """Take one answer of the worker's function ExchangeReads."""
        from bypass_responder.triggers.record_exchange_read import record_exchange_read

        await run_and_flush("record_exchange_read", record_exchange_read(body, self.services))

    async def carry_out_decision(self, body: bytes, channel: str) -> None:
        """Take one decision of a person. ``channel`` is the queue's: bypassctl or console."""
        from bypass_responder.model.decision_message import Channel
        from bypass_responder.triggers.carry_out_decision import carry_out_decision

        run = carry_out_decision(body, self.services, channel=Channel(channel))
        await run_and_flush("carry_out_decision", run)

    async def send_notifications(self) -> None:
        """Deliver what is due to each receiver."""
        from bypass_responder.triggers.send_notifications import send_notifications

        await run_and_flush("send_notifications", send_notifications(self.services))

    async def _noted(self, timer: str, run: Awaitable[object]) -> None:
        from bypass_responder.operating.timer_runs import note_run

        await run_and_flush(timer, note_run(timer, run, self.services, self.self_checks))

    async def create_storage(self) -> None:
        """Create the tables, queues and containers that are missing; in Azure the infrastructure does it."""
        from bypass_responder.adapters.storage_clients import create_storage

        settings = self.services.settings
        await create_storage(self.storage, queues=settings.queues)


async def run_and_flush(function: str, run: Awaitable[object]) -> None:
    """Wait for a run, then send its lines. A failed run adds a line that reports it."""
    from bypass_responder.adapters import telemetry

    try:
        await run
    except Exception as error:
        write_failure(function, error)
        raise
    finally:
        await telemetry.flush()


def write_failure(function: str, error: Exception) -> None:
    """Write the line of a failed run: the class of the error, without its text."""
    from bypass_responder.event_lines import write_line

    write_line("run_failed", logging.ERROR, function=function, error_class=type(error).__name__)

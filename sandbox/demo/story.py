"""The built-in story: the attacks in the tenant, and what each sensor must detect."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import ResponderError
from bypass_responder.model.finding import Source
from sandbox.child import ChildError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.bootstrap import Responder
    from sandbox.demo.teller import Teller
    from sandbox.stage import Stage
    from sandbox.tenant.client import SandboxClient

PATIENCE_SECONDS = 120
LATE_SECONDS = 14.0
SLOW_SECONDS = 8.0


@dataclass(frozen=True)
class Expected:
    """How many records the feed must deliver, and which source must report which account."""

    feed: int
    seen: frozenset[tuple[Source, str]] = frozenset()


@dataclass
class Play:
    """What runs during the demo."""

    stage: Stage
    client: SandboxClient
    responder: Responder
    teller: Teller
    records: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)


async def story(play: Play) -> Expected:
    """Play the built-in story; return what each sensor must report."""
    client, teller = play.client, play.teller
    await until(_first_sweep(play), "the first sweep")
    await teller.catch_up()
    service = client.account("svc-archive@contoso.onmicrosoft.com")
    play.before = {account["object_id"]: account for account in client.state()["accounts"]}
    await _allow(play, service["user_principal_name"])
    await until(_swept_after(play, datetime.now(UTC)), "a sweep after the entry")  # it counts for what begins later
    seen = set()
    acts = {
        "service-account": "an administrator bypasses the allowlisted service account",
        "failed": "an attacker tries another person and fails",
        "switch-off": "somebody switches a third person's bypass off",
    }
    for scenario, what in acts.items():
        staged = client.attack(scenario)
        seen.add((Source.FEED, client.account(staged["target"])["object_id"]))
        teller.say(f"In the tenant: {what} ({staged['actor']} → {staged['target']})")
    return Expected(feed=len(acts) + 1, seen=frozenset(seen | _seen_by_several(play)))


def slow_exchange(client: SandboxClient) -> None:
    """Delay switching a bypass off until a sweep sees it on, although the alert came first."""
    client.fault("latency", "exchange.Set-MailboxAuditBypassAssociation", seconds=SLOW_SECONDS)


def _seen_by_several(play: Play) -> set[tuple[Source, str]]:
    """One attack that an alert, the sweep and finally the feed report, and one that only the sweep sees."""
    client, teller = play.client, play.teller
    slow_exchange(client)
    loud = client.attack("bypass", feed_delay_seconds=LATE_SECONDS)
    silent = client.attack("bypass", target="adele", silent=True)
    teller.say(
        f"In the tenant: an attacker bypasses a person ({loud['actor']} → {loud['target']}); the feed reports it "
        f"{LATE_SECONDS:.0f} s later, and Exchange takes {SLOW_SECONDS:.0f} s to switch it off"
    )
    teller.say(f"In the tenant: another one is bypassed, and no record of it will arrive ({silent['target']})")
    client.publish_event(
        {
            "tenantId": play.responder.services.settings.tenant_id,
            "target": loud["target"],
            "actor": loud["actor"],
            "occurredAt": datetime.now(UTC).isoformat(),
        }
    )
    teller.say(f"Event Grid: a SIEM's alert names {loud['target']}")
    first, second = (client.account(name)["object_id"] for name in (loud["target"], silent["target"]))
    return {(source, first) for source in (Source.FEED, Source.HINT, Source.SWEEP)} | {(Source.SWEEP, second)}


async def _allow(play: Play, account: str) -> None:
    """Add an allowlist entry with bypassctl, as an ops team does."""
    command = ("-m", "bypass_responder.cli", "allowlist", "add", account, "--reason-class", "archiving")
    options = ("--reason", "Journal archive", "--owner", "ops@contoso.onmicrosoft.com", "--ticket", "CHG-1042")
    expires = ("--expires", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *options, *expires, env=play.stage.env, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        message = f"bypassctl allowlist add ended with {process.returncode}"
        raise ChildError(message)
    for line in output.decode().splitlines():
        play.teller.say(f"bypassctl: {line}")


def _swept_after(play: Play, moment: datetime) -> Callable[[], Any]:
    async def done() -> bool:
        baseline = await play.responder.services.sweeps.baseline()
        return baseline is not None and baseline.started_at > moment

    return done


def _first_sweep(play: Play) -> Callable[[], Any]:
    async def done() -> bool:
        return await play.responder.services.sweeps.baseline() is not None

    return done


async def until(done: Callable[[], Any], what: str) -> None:
    """Poll until the condition holds. Raises TimeoutError that names ``what`` when it takes too long."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if await done():
                return
        except ResponderError:
            pass  # storage is away for the moment: a test took it, or it still starts
        if time.monotonic() > give_up_at:
            message = f"{what} did not come within {PATIENCE_SECONDS} s"
            raise TimeoutError(message)
        await asyncio.sleep(0.3)

"""The command: start everything, let the story happen, watch it, and hold it against the tenant's own state."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bypass_responder import bootstrap
from bypass_responder.errors import InputError, ResponderError
from bypass_responder.model.finding import Source
from sandbox.child import ChildError
from sandbox.demo.proof import Proof, prove
from sandbox.demo.teller import Teller
from sandbox.export import accounts_for_records
from sandbox.stage import Stage
from sandbox.tenant.account import default_accounts
from sandbox.tenant.client import SandboxClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.bootstrap import Responder

PATIENCE_SECONDS = 120
LATE_SECONDS = 14.0
SLOW_SECONDS = 8.0
QUIET_SECONDS = 1.5
"""Nothing undone for this long: the story is over."""


@dataclass(frozen=True)
class Expected:
    """So many records of the feed, and which source has to have seen which account."""

    feed: int
    seen: frozenset[tuple[Source, str]] = frozenset()


@dataclass
class Play:
    """What runs while the demo is told."""

    stage: Stage
    client: SandboxClient
    responder: Responder
    teller: Teller
    records: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)


def main(argv: list[str], *, meanwhile: Callable[[Stage, SandboxClient], None] | None = None) -> int:
    """Run the demo; 0 only when the tenant's own state is what the log says. ``meanwhile`` lets a test break things."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--records", type=Path, help="an export of the audit log instead of the built-in story")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--folder", type=Path, help="keep storage and logs here (default: a temporary folder)")
    parser.add_argument(
        "--worker", choices=("auto", "python"), default="auto", help="python: the stand-in, even where there is pwsh"
    )
    given = parser.parse_args(argv)
    began = time.monotonic()
    try:
        records = read_export(given.records) if given.records else []
    except (OSError, ResponderError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="bypass-demo-") as temporary:
        folder = given.folder or Path(temporary)
        try:
            with Stage(folder, tenant_arguments=_tenant_arguments(folder, records), worker=given.worker) as stage:
                proof = asyncio.run(_play(stage, records, meanwhile))
        except (ChildError, TimeoutError) as error:
            sys.stderr.write(f"demo: {error}\n")
            return 1
    result = proof.as_json() | {"seconds": round(time.monotonic() - began, 1)}
    for line in proof.lines():
        print(line)
    print(f"{'It holds' if proof.holds else 'IT DOES NOT HOLD'}: {result['seconds']} s")
    if given.json:
        print(json.dumps(result))
    return 0 if proof.holds else 1


def read_export(file: Path) -> list[dict[str, Any]]:
    """The bypass records of any export that ``bypassctl detect`` reads, as Management API objects."""
    from bypass_responder.model.record import Unreadable
    from bypass_responder.sensing.reader import read_records

    records = []
    with file.open("rb") as stream:
        for record in read_records(stream, source=file.name):
            if isinstance(record, Unreadable):
                sys.stderr.write(f"demo: {record.where}: {record.reason}: {record.detail}\n")
                continue
            fields = {
                "Id": record.id,
                "CreationTime": f"{record.creation_time:%Y-%m-%dT%H:%M:%S}",
                "Operation": record.operation,
                "OrganizationId": record.organization_id,
                "Workload": record.workload,
                "RecordType": 1,
                "ResultStatus": record.result_status,
                "ObjectId": record.object_id,
                "UserId": record.user_id,
                "UserKey": record.user_key,
                "ClientIP": record.client_ip,
                "AppId": record.app_id,
                "TokenObjectId": record.token_object_id,
                "Parameters": [{"Name": name, "Value": value} for name, value in record.parameters.items()],
            }
            records.append({name: value for name, value in fields.items() if value is not None})
    if not records:
        raise InputError("no_records", f"{file} holds no record of a mailbox audit bypass.")
    return records


def _tenant_arguments(folder: Path, records: list[dict[str, Any]]) -> tuple[str, ...]:
    if records:
        tenant = accounts_for_records(records)
        settings, accounts = {"tenant_id": tenant.tenant_id, "domain": tenant.domain}, list(tenant.accounts)
    else:
        settings, accounts = {}, default_accounts()
        before_us = next(account for account in accounts if account.user_principal_name.startswith("lynne@"))
        before_us.audit_bypass_enabled = True
    state = {"settings": settings, "accounts": [account.model_dump(mode="json") for account in accounts]}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tenant-state.json"
    file.write_text(json.dumps(state))
    return ("--state", str(file))


async def _play(
    stage: Stage, records: list[dict[str, Any]], meanwhile: Callable[[Stage, SandboxClient], None] | None
) -> Proof:
    responder = bootstrap.build(stage.env)
    stage.subscribe_events()
    with SandboxClient(stage.tenant_url) as client:
        play = Play(stage, client, responder, Teller(responder), records)
        try:
            await _tell(play, meanwhile)
            return await prove(client, responder, play.before)
        finally:
            await responder.aclose()


async def _tell(play: Play, meanwhile: Callable[[Stage, SandboxClient], None] | None) -> None:
    teller, client = play.teller, play.client
    print("Azurite, a stand-in tenant and the function host run; mode enforce.")
    print(f"Exchange worker: {play.stage.worker_answers}.")
    await _until(_first_poll(play), "the first poll of the audit feed")
    play.before = {account["object_id"]: account for account in client.state()["accounts"]}
    if play.records:
        teller.say(f"The feed delivers {len(play.records)} records of your export.")
        client.publish(play.records)
        expected = Expected(feed=len(play.records))
    else:
        expected = await _story(play)
    if meanwhile is not None:
        await asyncio.to_thread(meanwhile, play.stage, client)
    await _until(_settled(play, expected), "the end of the story")
    await teller.catch_up()
    teller.blind_windows()


async def _story(play: Play) -> Expected:
    """The built-in story; returns what every sensor has to have seen of it."""
    client, teller = play.client, play.teller
    await _until(_first_sweep(play), "the first sweep of everybody")
    await teller.catch_up()
    service = client.account("svc-archive@contoso.onmicrosoft.com")
    play.before = {account["object_id"]: account for account in client.state()["accounts"]}
    await _allow(play, service["user_principal_name"])
    await asyncio.sleep(1.2)  # an audit record has whole seconds, and an entry counts only for what begins after it
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


def _seen_by_several(play: Play) -> set[tuple[Source, str]]:
    """One attack that an alert, the sweep and at last the feed tell of, and one that only the sweep sees."""
    client, teller = play.client, play.teller
    client.fault("latency", "exchange.Set-MailboxAuditBypassAssociation", seconds=SLOW_SECONDS)
    loud = client.attack("bypass", feed_delay_seconds=LATE_SECONDS)
    silent = client.attack("bypass", target="adele", silent=True)
    teller.say(
        f"In the tenant: an attacker bypasses a person ({loud['actor']} → {loud['target']}); the feed tells of it "
        f"{LATE_SECONDS:.0f} s later, and Exchange takes {SLOW_SECONDS:.0f} s to switch it off"
    )
    teller.say(f"In the tenant: another one is bypassed, and no record will ever tell ({silent['target']})")
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
    """With bypassctl, as an ops team does it."""
    command = ("-m", "bypass_responder.cli", "allowlist", "add", account, "--reason-class", "archiving")
    options = ("--reason", "Journal archive", "--owner", "ops@contoso.onmicrosoft.com", "--ticket", "CHG-1042")
    expires = ("--expires", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *options, *expires, env=play.stage.env, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        message = f"bypassctl allowlist add ended with {process.returncode}"
        raise ChildError(message)
    for line in said.decode().splitlines():
        play.teller.say(f"bypassctl: {line}")


def _first_poll(play: Play) -> Callable[[], Any]:
    async def done() -> bool:
        return await play.responder.services.feed_store.cursor() is not None

    return done


def _first_sweep(play: Play) -> Callable[[], Any]:
    async def done() -> bool:
        return await play.responder.services.sweeps.baseline() is not None

    return done


def _settled(play: Play, expected: Expected) -> Callable[[], Any]:
    """Everything that was to be seen is decided and nothing is due soon, for a while."""
    quiet_since: list[float] = []

    async def done() -> bool:
        await play.teller.catch_up()
        decided = play.teller.decided()
        records = {finding.id for finding in decided if finding.source is Source.FEED}
        seen = {(finding.source, finding.target) for finding in decided}
        if len(records) < expected.feed or not expected.seen <= seen or play.teller.running():
            quiet_since.clear()
            return False
        quiet_since.append(time.monotonic())
        return quiet_since[-1] - quiet_since[0] >= QUIET_SECONDS

    return done


async def _until(done: Callable[[], Any], what: str) -> None:
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

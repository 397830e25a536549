"""Run attacks on a stand-in tenant, show the response, and compare the log with the tenant's state."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bypass_responder import bootstrap
from bypass_responder.errors import InputError, ResponderError
from bypass_responder.model.finding import Source
from sandbox.child import ROOT, ChildError
from sandbox.demo.package import PackageError, unpack
from sandbox.demo.proof import Proof, prove
from sandbox.demo.story import Expected, Play, story, until
from sandbox.demo.teller import Teller
from sandbox.export import accounts_for_records
from sandbox.stage import Stage
from sandbox.tenant.account import default_accounts
from sandbox.tenant.client import SandboxClient

if TYPE_CHECKING:
    from collections.abc import Callable


QUIET_SECONDS = 1.5
"""Nothing undone for this long: the story is over."""


def main(argv: list[str], *, meanwhile: Callable[[Stage, SandboxClient], None] | None = None) -> int:
    """Run the demo; return 0 only when the tenant's state matches the log.

    ``meanwhile`` lets a test break things.
    """
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--records", type=Path, help="replay this export of the audit log instead of the built-in story"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--folder", type=Path, help="keep storage and logs here (default: a temporary folder)")
    parser.add_argument(
        "--worker",
        choices=("auto", "python"),
        default="auto",
        help="python: use the stand-in, even with pwsh on the path",
    )
    parser.add_argument("--package", type=Path, help="run the Python app from this zip, as `make package` writes it")
    given = parser.parse_args(argv)
    began = time.monotonic()
    try:
        records = read_export(given.records) if given.records else []
    except OSError as error:
        sys.stderr.write(f"demo: {given.records} cannot be read: {error.strerror}\n")
        return 2
    except ResponderError as error:
        sys.stderr.write(f"demo: {error}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="bypass-demo-") as temporary:
        folder = given.folder or Path(temporary)
        try:
            app = unpack(given.package, folder / "app") if given.package else ROOT
            arguments = _tenant_arguments(folder, records)
            with Stage(folder, tenant_arguments=arguments, worker=given.worker, app=app, console=True) as stage:
                proof = asyncio.run(_play(stage, records, meanwhile))
        except PackageError as error:
            sys.stderr.write(f"demo: {error}\n")
            return 2
        except (ChildError, TimeoutError) as error:
            sys.stderr.write(f"demo: {error}\n")
            return 1
    result = proof.as_json() | {"seconds": round(time.monotonic() - began, 1)}
    for line in proof.lines():
        print(line)
    print(f"{'All checks passed' if proof.holds else 'CHECKS FAILED'}: {result['seconds']} s")
    if given.json:
        print(json.dumps(result))
    return 0 if proof.holds else 1


def read_export(file: Path) -> list[dict[str, Any]]:
    """The bypass records of any export that ``bypassctl detect`` reads, as Management API objects."""
    from bypass_responder.model.record import Unreadable
    from bypass_responder.sensing.records.reader import read_records

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
        play = Play(stage, client, responder, Teller(responder.services.ledger), records)
        try:
            await _tell(play, meanwhile)
            return await prove(client, responder, play.before)
        finally:
            await responder.aclose()


async def _tell(play: Play, meanwhile: Callable[[Stage, SandboxClient], None] | None) -> None:
    teller, client = play.teller, play.client
    print("Azurite, a stand-in tenant and the function host run; mode enforce.")
    print(f"Exchange worker: {play.stage.worker_answers}.")
    print(f"While it runs: console {play.stage.console_url}, notifications {play.stage.notifications_url}")
    await until(_first_poll(play), "the first poll of the audit feed")
    play.before = {account["object_id"]: account for account in client.state()["accounts"]}
    if play.records:
        teller.say(f"The feed delivers {len(play.records)} records of your export.")
        client.publish(play.records)
        expected = Expected(feed=len(play.records))
    else:
        expected = await story(play)
    if meanwhile is not None:
        await asyncio.to_thread(meanwhile, play.stage, client)
    await until(_settled(play, expected), "the end of the story")
    await teller.catch_up()
    teller.blind_windows()


def _first_poll(play: Play) -> Callable[[], Any]:
    async def done() -> bool:
        return await play.responder.services.feed_store.cursor() is not None

    return done


def _settled(play: Play, expected: Expected) -> Callable[[], Any]:
    """Wait until all expected findings are decided and nothing has been due for a while."""
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

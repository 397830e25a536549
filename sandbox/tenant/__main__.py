"""``python -m sandbox.tenant``: the stand-in tenant as a separate process.

Prints its addresses as one JSON line.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sandbox.tenant.account import Account
from sandbox.tenant.faults import MILD, Faults
from sandbox.tenant.graph_logs import PERMISSIONS
from sandbox.tenant.hunting import PERMISSION
from sandbox.tenant.hunting_rows import rows_of
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.opened import opened
from sandbox.tenant.records import noise
from sandbox.tenant.server import run
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant


def main() -> None:
    """Read the arguments and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.tenant", description="Run a stand-in Microsoft tenant on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 chooses a free one")
    parser.add_argument("--state", type=Path, help="JSON file with accounts (replacing the default ones) and settings")
    parser.add_argument("--evidence", action="store_true", help="let the responder read the logs of Microsoft 365")
    parser.add_argument("--hunting", action="store_true", help="let the responder read advanced hunting")
    parser.add_argument("--seed", type=int, help="inject random faults with this seed")
    given = parser.parse_args()
    state = json.loads(given.state.read_text()) if given.state else {}
    faults = Faults() if given.seed is None else Faults(seed=given.seed, rates=dict(MILD))
    tenant = Tenant(settings=Settings.model_validate(state.get("settings", {})), faults=faults)
    if "accounts" in state:
        tenant.accounts.clear()
        tenant.add(Account.model_validate(account) for account in state["accounts"])
    if given.evidence:
        tenant.identities[RESPONDER_SECRET].roles[GRAPH] += PERMISSIONS
    if given.hunting:
        tenant.identities[RESPONDER_SECRET].roles[GRAPH].append(PERMISSION)
        tenant.hunting += rows_of(noise(tenant.settings), visible_at=tenant.clock())  # as every tenant has every day
    if (given.hunting or given.evidence) and "accounts" not in state:
        known = {each.user_principal_name.partition("@")[0]: each for each in tenant.accounts.values()}
        records = opened(known, tenant.clock())
        tenant.hunting += rows_of(records, visible_at=tenant.clock())
        tenant.traces.audit_records += records
    run(tenant, port=given.port)


if __name__ == "__main__":
    main()

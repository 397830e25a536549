"""A tenant in which nothing is granted yet, for the tests of `bypassctl grant`."""

from __future__ import annotations

from typing import Any

from bypass_responder.rights import RESPONDER_ROLES, WORKER_ROLES, Api, AppRole
from sandbox.tenant.faults import Fault
from sandbox.tenant.identity import (
    ADMINISTRATOR_SECRET,
    EXCHANGE,
    GRAPH,
    MANAGEMENT,
    RESPONDER_SECRET,
    WORKER_SECRET,
    Identity,
)
from sandbox.tenant.state import Tenant
from tests.e2e.ctl import Said, run_bypassctl

OURS = [(RESPONDER_SECRET, role) for role in RESPONDER_ROLES] + [(WORKER_SECRET, role) for role in WORKER_ROLES]
RESOURCES = {Api.GRAPH: GRAPH, Api.MANAGEMENT: MANAGEMENT, Api.EXCHANGE: EXCHANGE}


COMPLETE = sorted(
    [("responder", role.value) for role in RESPONDER_ROLES] + [("worker", role.value) for role in WORKER_ROLES]
)


class Directory:
    """A tenant in which neither identity has a right, and an administrator who is signed in."""

    def __init__(self, tenant: Tenant, url: str) -> None:
        vars(tenant).update(vars(Tenant()))
        self.tenant, self.url = tenant, url
        self.responder, self.worker = tenant.identities[RESPONDER_SECRET], tenant.identities[WORKER_SECRET]
        self.console = tenant.identities["console"] = Identity("console", {})
        self.have([])

    def have(self, rights: list[tuple[str, AppRole]]) -> None:
        self.responder.roles.clear()
        self.worker.roles.clear()
        for secret, role in rights:
            self.tenant.identities[secret].roles.setdefault(RESOURCES[role.api], []).append(role.value)

    @property
    def rights(self) -> list[tuple[str, str]]:
        """What the identities really have: name and permission."""
        found = ((it, roles) for it in (self.responder, self.worker) for roles in it.roles.values())
        return sorted((identity.name, role) for identity, roles in found for role in roles)

    @property
    def changes(self) -> int:
        """Calls that change something."""
        return self.tenant.counters["graph.post_rights"] + self.tenant.counters["graph.delete_rights"]

    def fault(self, **fields: Any) -> None:
        self.tenant.faults.scripted.append(Fault(**fields))

    @property
    def environment(self) -> dict[str, str]:
        """All that the command reads."""
        return {
            "TENANT_ID": self.tenant.settings.tenant_id,
            "GRAPH_URL": self.url,
            "RESPONDER_PRINCIPAL_ID": self.responder.object_id,
            "RESPONDER_CLIENT_ID": self.responder.client_id,
            "WORKER_PRINCIPAL_ID": self.worker.object_id,
            "WORKER_CLIENT_ID": self.worker.client_id,
            "IDENTITY_ENDPOINT": f"{self.url}/identity/token",
            "IDENTITY_HEADER": ADMINISTRATOR_SECRET,
        }

    def run(self, *arguments: str, **env: str) -> Said:
        return run_bypassctl(self.environment | env, "grant", *arguments)


def lines(said: Said) -> int:
    return len(said.err.strip().splitlines())


def evidence_of(directory: Directory) -> list[str]:
    """The permissions of the responder besides the required ones."""
    required = {role.value for role in RESPONDER_ROLES}
    return sorted(role for _, role in directory.rights if role not in required and role != "Exchange.ManageAsApp")

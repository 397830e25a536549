"""The end of the demo: compares the ledger's claims with the tenant's true state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bypass_responder.model.change import Switch
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, Step, StepKind
from bypass_responder.operating.verify_log import Verification, verify_log

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.base import Row
    from sandbox.tenant.client import SandboxClient

BYSTANDERS = ("attacker", "sandbox")
SESSIONS, BYPASS = "sign_in_sessions_valid_from", "audit_bypass_enabled"


@dataclass(frozen=True)
class Proof:
    """Counts from the ledger, object ids from the tenant."""

    detected: int
    contained: int
    stood_down: int
    attempts: int
    blocked: list[str]
    revoked: list[str]
    bypass_off: list[str]
    claimed: dict[str, list[str]]
    """The effects that the ledger claims, by kind of step."""
    touched: set[str]
    log: Verification
    unfinished: list[str]

    @property
    def untouched(self) -> bool:
        """True when no account changed except those that the ledger names."""
        return self.touched <= {account for accounts in self.claimed.values() for account in accounts}

    @property
    def _differences(self) -> list[tuple[str, list[str], list[str]]]:
        true = {"block_sign_in": self.blocked, "revoke_sessions": self.revoked, "disable_bypass": self.bypass_off}
        return [(kind, self.claimed[kind], there) for kind, there in true.items() if self.claimed[kind] != there]

    @property
    def holds(self) -> bool:
        """True when the tenant matches the ledger, no other account was touched, and the log verifies."""
        return (
            self.untouched
            and not self.log.problems
            and not self.unfinished
            and not self._differences
            and self.detected > 0
        )

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``, without the time."""
        return {
            "detected": self.detected,
            "contained": self.contained,
            "stood_down": self.stood_down,
            "attempts": self.attempts,
            "blocked": self.blocked,
            "revoked": self.revoked,
            "bypass_off": self.bypass_off,
            "untouched": self.untouched,
            "log_verified": not self.log.problems,
        }

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"In the tenant now: blocked {self.blocked}, sessions revoked {self.revoked}, bypass off {self.bypass_off}",
            f"Nobody else was touched: {'yes' if self.untouched else f'NO: {sorted(self.touched)}'}",
            *(
                f"The ledger claims {kind} of {claim}, the tenant says {true}"
                for kind, claim, true in self._differences
            ),
            f"Response log: {self.log.entries} lines verified, {len(self.log.problems)} problems",
            *self.log.problems,
            *self.unfinished,
        ]


async def prove(client: SandboxClient, responder: Responder, before: dict[str, dict[str, Any]]) -> Proof:
    """Read both sides. ``before`` is the tenant's state when the story began."""
    services = responder.services
    rows: list[Row] = []
    for target in await services.ledger.targets():
        rows += (await services.ledger.load(target, history=True)).by_key.values()
    state = client.state()
    after = {account["object_id"]: account for account in state["accounts"]}
    findings = {row.id: row for row in rows if isinstance(row, Finding)}.values()
    incidents = [row for row in rows if isinstance(row, Incident)]
    journal = [change for change in state["journal"] if change["by"] not in BYSTANDERS]
    return Proof(
        detected=sum(row.switch is Switch.ON and row.verdict != "attempt" for row in findings),
        contained=sum(row.status is IncidentStatus.CONTAINED for row in incidents),
        stood_down=len({row.target for row in findings if row.verdict == "allowlisted"}),
        attempts=sum(row.verdict == "attempt" for row in findings),
        blocked=sorted(key for key in before if before[key]["account_enabled"] and not after[key]["account_enabled"]),
        revoked=sorted(key for key in before if after[key][SESSIONS] > before[key][SESSIONS]),
        bypass_off=sorted(
            {
                change["object_id"]
                for change in journal
                if change["field"] == BYPASS and change["before"] and not after[change["object_id"]][BYPASS]
            }
        ),
        claimed={kind.value: _claimed(rows, incidents, kind) for kind in StepKind},
        touched={change["object_id"] for change in journal},
        log=await verify_log(services.ledger, services.checkpoints),
        unfinished=[
            f"unfinished: {row.id} is {row.status.value}" for row in incidents if row.status is IncidentStatus.OPEN
        ],
    )


def _claimed(rows: list[Row], incidents: list[Incident], kind: StepKind) -> list[str]:
    accounts = {row.id: row.account.object_id for row in incidents if row.account}
    return sorted(
        {
            accounts[row.incident_id]
            for row in rows
            if isinstance(row, Step) and row.step is kind and row.effect in {Effect.EFFECTIVE, Effect.TEMPORARY}
        }
    )

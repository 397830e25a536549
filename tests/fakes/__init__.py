"""In-memory stand-ins for our own ports.

Each keeps state that a test reads, and fulfills the adapter's contract.
"""

from tests.fakes.access import FakeAccesses
from tests.fakes.channels import (
    FakeDecisionQueue,
    FakeEvidence,
    FakeExchangeQueue,
    FakeNotifier,
    FakeSenderQueue,
    FakeSweeps,
)
from tests.fakes.directory import FakeDirectory
from tests.fakes.gathered import FakeGatheredEvidence, FakeSource
from tests.fakes.ledger import FakeLedger
from tests.fakes.permissions import FakePermissions
from tests.fakes.posture import FakePlans, FakePosture, FakePostureRuns
from tests.fakes.reads import FakeExchangeReads
from tests.fakes.rows import (
    FakeAllowlist,
    FakeAllowlistSnapshot,
    FakeCheckpoints,
    FakeIndex,
    FakeInspections,
    FakeLimit,
    FakeOutbox,
    FakeWorkList,
)

__all__ = [
    "FakeAccesses",
    "FakeAllowlist",
    "FakeAllowlistSnapshot",
    "FakeCheckpoints",
    "FakeDecisionQueue",
    "FakeDirectory",
    "FakeEvidence",
    "FakeExchangeQueue",
    "FakeExchangeReads",
    "FakeGatheredEvidence",
    "FakeIndex",
    "FakeInspections",
    "FakeLedger",
    "FakeLimit",
    "FakeNotifier",
    "FakeOutbox",
    "FakePermissions",
    "FakePlans",
    "FakePosture",
    "FakePostureRuns",
    "FakeSenderQueue",
    "FakeSource",
    "FakeSweeps",
    "FakeWorkList",
]

"""Raw input in a blob: the same facts hold for the fake and for the container."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from bypass_responder.adapters import evidence_blob
from bypass_responder.adapters.evidence_blob import BlobEvidenceStore
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.ports import EvidenceStore
from tests.fakes import FakeEvidence


@pytest.fixture(params=["fake", "azurite"])
def evidence(request: pytest.FixtureRequest, tenant_id: str) -> EvidenceStore:
    if request.param == "fake":
        return FakeEvidence()
    clients: StorageClients = request.getfixturevalue("clients")
    return BlobEvidenceStore(clients.blobs, tenant_id)


async def test_short_evidence_is_inline(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("é" * 16 * 1024)

    assert (kept.text, kept.blob, kept.length_bytes) == ("é" * 16 * 1024, None, 32 * 1024)


async def test_long_evidence_is_named_by_its_hash(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("x" * (32 * 1024 + 1))

    assert kept.text is None
    assert kept.blob is not None
    assert kept.blob.endswith(kept.sha256)
    assert kept.length_bytes == 32 * 1024 + 1


async def test_the_same_evidence_twice_is_one(evidence: EvidenceStore) -> None:
    assert await evidence.keep("x" * 40_000) == await evidence.keep("x" * 40_000)


async def test_a_lone_surrogate_is_kept_as_an_escape(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("a\ud800b")

    assert kept.text == "a\\ud800b"


async def test_the_blob_holds_the_text_gzipped(clients: StorageClients, tenant_id: str) -> None:
    kept = await BlobEvidenceStore(clients.blobs, tenant_id).keep("é" * 40_000)
    blob = clients.blobs.get_container_client(evidence_blob.CONTAINER).get_blob_client(str(kept.blob))
    stored = await (await blob.download_blob(decompress=False)).readall()

    assert gzip.decompress(stored).decode() == "é" * 40_000


def test_short_evidence_does_not_wait_for_the_sdk_of_blobs() -> None:
    code = (
        "import asyncio, sys; from bypass_responder.adapters.evidence_blob import BlobEvidenceStore; "
        "asyncio.run(BlobEvidenceStore(None, 'tenant').keep('short')); print('azure.storage.blob' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "False"

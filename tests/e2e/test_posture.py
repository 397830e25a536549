"""`bypassctl posture` on what the worker wrote to Azurite."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bypass_responder.adapters.exchange_reads import CONTAINER
from bypass_responder.operating.posture.answers import keep_read
from bypass_responder.posture.plan import Plan
from sandbox.azurite import missing
from tests.e2e.ctl import bypassctl
from tests.e2e.live import Live
from tests.operating.posture.scenes import read_of
from tests.posture.mailboxes import CASES, Case, object_id
from tests.world import World

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
DEFAULT, PINNED = CASES[0], CASES[2]


async def written(live: Live, *cases: Case) -> None:
    """What is left after the worker read mailboxes like these."""
    world = World()
    read = read_of(world, *cases, read_at=datetime.now(UTC))
    container = live.responder.storage.blobs.get_container_client(CONTAINER)
    for name, data in world.reads.blobs.items():
        await container.upload_blob(name, data, overwrite=True)
    await keep_read(read, live.responder.services)


async def test_before_the_first_read_it_says_what_works_without(live: Live) -> None:
    said = await bypassctl(live.env, "posture", "report")

    assert said.code == 3
    assert "bypassctl posture compare" in said.err


async def test_the_last_read_is_reported(live: Live) -> None:
    await written(live, DEFAULT, PINNED)
    said = await bypassctl(live.env, "posture", "report", "-o", "json")

    assert said.code == 1
    assert [each["object_id"] for each in said.json["mailboxes"]] == [object_id(1), object_id(0)]


async def test_a_clean_read_passes_the_check_of_a_pipeline(live: Live) -> None:
    await written(live, DEFAULT)
    said = await bypassctl(live.env, "posture", "check")

    assert (said.code, said.out.startswith("Clean")) == (0, True)


async def test_what_is_pinned_fails_it(live: Live) -> None:
    await written(live, PINNED)
    said = await bypassctl(live.env, "posture", "check")

    assert (said.code, said.out) == (1, "FAIL 1 mailbox has a logon type that Microsoft does not maintain\n")


async def test_a_permission_that_was_given_for_a_while_is_listed(live: Live) -> None:
    live.attack("mailbox-permission", target="megan")
    await live.runs()
    await live.responder.read_posture()
    said = await bypassctl(live.env, "posture", "grants", "--removed", "-o", "json")

    assert said.code == 1
    assert [(each["right"], each["granted_by"]) for each in said.json] == [
        ("FullAccess", f"mallory@{live.tenant.settings.domain}")
    ]


async def test_a_plan_is_made_from_it(live: Live, tmp_path: Path) -> None:
    await written(live, DEFAULT, PINNED)
    said = await bypassctl(live.env, "posture", "plan", "-o", f"{tmp_path}/plan.json")
    made = Plan.model_validate_json((tmp_path / "plan.json").read_text(encoding="utf-8"))

    assert said.code == 0
    assert [each.object_id for each in made.changes] == [object_id(1)]

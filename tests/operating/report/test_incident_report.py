"""What a report holds, and what it says is missing."""

from __future__ import annotations

import json
from datetime import timedelta

import jsonschema
import pytest

from bypass_responder.errors import InputError, NotFoundError, RefusedError
from bypass_responder.model.change import Actor
from bypass_responder.operating.report import account_chain, incident_report
from bypass_responder.operating.report.attestation import attest
from bypass_responder.operating.report.incident_report import IncidentReport, read_report
from bypass_responder.operating.verify_log import verify_log
from tests.operating.incidents import scenes
from tests.operating.report.reports import SCHEMA, report_of
from tests.world import ALEX, START, World, a_finding, an_entry

SCENES = [
    *(scenes.contained, scenes.held, scenes.failed, scenes.reverted),
    *(scenes.guest, scenes.synced, scenes.observed, scenes.released),
]


@pytest.mark.parametrize("scene", SCENES)
async def test_the_json_fits_its_schema(scene: scenes.Scene) -> None:
    made = (await report_of(await scene())).model_dump(mode="json")

    jsonschema.validate(made, json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("scene", SCENES)
async def test_the_json_is_read_back_as_the_same_report(scene: scenes.Scene) -> None:
    made = await report_of(await scene())

    assert IncidentReport.model_validate_json(json.dumps(made.model_dump(mode="json"))) == made


async def test_the_rule_of_the_decision_is_a_sentence() -> None:
    assert (await report_of(await scenes.contained())).rule == "The account is not on the allowlist: it is contained."


async def test_it_says_which_records_do_not_exist_and_for_which_mailboxes() -> None:
    missing = (await report_of(await scenes.contained())).missing

    assert "do not exist for 2026-03-02 08:50:00Z to 2026-03-02 09:00:00Z (10 min)" in missing.statement
    assert "MailItemsAccessed" in missing.action_types
    assert missing.mailboxes.startswith("The mailbox of alex@contoso.onmicrosoft.com, and every other mailbox")


async def test_the_fields_for_privacy_are_blank() -> None:
    made = await report_of(await scenes.contained())

    assert {field.value for field in made.privacy} == {""}


async def test_the_log_is_given_with_the_hash_of_each_line() -> None:
    world = await scenes.contained()
    made = await report_of(world)
    stored = [json.loads(line)["hash"] for line in world.ledger.logs[ALEX]]

    assert [line.hash for line in made.log.lines] == stored
    assert (made.log.head, made.log.problem) == (stored[-1], "")


async def test_a_changed_line_is_named() -> None:
    world = await scenes.contained()
    line = json.loads(world.ledger.logs[ALEX][1])
    world.ledger.logs[ALEX][1] = json.dumps(line | {"text": "nothing happened"})

    assert (await report_of(world)).log.problem.startswith("Entry 2 does not fit the chain.")


async def test_a_log_that_cannot_be_read_is_named() -> None:
    world = await scenes.contained()
    world.ledger.fail("log", InputError("corrupt_row", "broken"), always=True)

    assert "broken" in (await report_of(world)).log.problem


async def test_the_verification_names_the_checkpoint() -> None:
    world = await scenes.contained()
    await world.passes(minutes=1)
    found = await verify_log(world.ledger, world.checkpoints)
    [incident] = await world.incidents()
    attested = attest(found, at=world.now, by="auditor")
    made = await read_report(incident.id, world.services, made_by="auditor", verification=attested)
    last = await world.checkpoints.last()

    assert made.verification is not None
    assert made.verification.intact
    assert last is not None
    assert (made.verification.last_checkpoint, made.verification.last_checkpoint_hash) == (last.seq, last.hash)


async def test_a_flood_of_findings_is_cut_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_report, "MOST_FINDINGS", 4)
    world = await scenes.contained()
    for number in range(12):
        at = START - timedelta(minutes=9) + timedelta(seconds=number)
        await world.sees(a_finding(effective_at=at, actor=Actor(user_id=f"actor{number}")))
    made = await report_of(world)

    assert len(made.incident.evidence) == 4
    assert made.left_out == ("9 of 13 findings, from 2026-03-02 08:51:00Z to 2026-03-02 08:51:10Z.",)


async def test_a_long_log_is_cut_and_followed_to_its_end() -> None:
    world = await scenes.contained()
    [incident] = await world.incidents()
    chain = await account_chain.read_chain(ALEX, incident.id, world.ledger, most=5)

    assert [line.seq for line in chain.lines] == [1, 2, chain.entries - 2, chain.entries - 1, chain.entries]
    assert chain.lines_total == chain.entries


async def test_what_is_no_incident_has_no_report() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    await world.sees(a_finding(id="record-exempt"))

    with pytest.raises(RefusedError):
        await read_report("record-exempt", world.services, made_by="auditor")
    with pytest.raises(NotFoundError):
        await read_report("nothing", world.services, made_by="auditor")

"""`bypassctl grant --evidence`: sets and single permissions for evidence, all optional."""

from __future__ import annotations

import pytest

from bypass_responder.rights import EVIDENCE_ROLES, EVIDENCE_SETS
from tests.cli.granting import COMPLETE, OURS, Directory, evidence_of, lines


@pytest.mark.parametrize("name", EVIDENCE_SETS)
def test_a_set_for_evidence_is_granted_besides(directory: Directory, name: str) -> None:
    said = directory.run("--yes", "--evidence", name)

    assert said.code == 0
    assert evidence_of(directory) == sorted(role.value for role in EVIDENCE_SETS[name])
    assert set(COMPLETE) <= set(directory.rights)


def test_a_single_permission_for_evidence_is_granted(directory: Directory) -> None:
    directory.run("--yes", "--evidence", "core, identityriskevent.read.all")

    assert evidence_of(directory) == sorted(
        [*(role.value for role in EVIDENCE_SETS["core"]), "IdentityRiskEvent.Read.All"]
    )


def test_without_the_option_nothing_for_evidence_is_granted_or_missing(directory: Directory) -> None:
    directory.run("--yes")

    assert (evidence_of(directory), directory.run("--check").code) == ([], 0)


def test_what_is_granted_for_evidence_is_no_extra_right(directory: Directory) -> None:
    directory.run("--yes", "--evidence", "full")
    said = directory.run("--check", "-o", "json")

    assert (said.code, said.json["extras"]) == (0, [])
    assert len(said.json["granted"]) == len(OURS) + len(EVIDENCE_SETS["full"])


def test_revoking_revokes_what_was_granted_for_evidence(directory: Directory) -> None:
    directory.run("--yes", "--evidence", "full")
    said = directory.run("--revoke", "--yes")

    assert (said.code, directory.rights) == (0, [])


@pytest.mark.parametrize("word", ["everything", "Mail.Read", "core,Mail.Read"])
def test_another_word_is_refused_with_those_that_there_are(directory: Directory, word: str) -> None:
    said = directory.run("--yes", "--evidence", word)

    assert (said.code, directory.rights, lines(said)) == (2, [], 1)
    assert "there are core, full, AuditLog.Read.All" in said.err


def test_evidence_is_revoked_without_being_named(directory: Directory) -> None:
    assert directory.run("--revoke", "--yes", "--evidence", "core").code == 2


def test_no_permission_for_evidence_reads_or_changes_mail() -> None:
    values = [role.value for role in EVIDENCE_ROLES]

    assert [value for value in values if "Write" in value or value.startswith("Mail")] == []

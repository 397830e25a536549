"""What a table looks like on a narrow terminal."""

from __future__ import annotations

import pytest
from rich.console import Console

from bypass_responder.cli import terminal

INCIDENT = "20261125-53c401ba"
REST = ("2026-11-25 00:57:30Z", "contained", "svc-archive@contoso.onmicrosoft.com", "mallory@contoso.onmicrosoft.com")


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "console", lambda: Console(width=80))


@pytest.mark.parametrize("one_id", [INCIDENT, "c056122f-0000-4000-8000-000000000001"])
def test_an_id_stays_on_one_line(one_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(("id", "opened", "status", "account", "actor"), [(one_id, *REST)])

    assert one_id in capsys.readouterr().out


def test_an_id_longer_than_the_terminal_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(("id", "opened", "status", "account", "actor"), [("x" * 90, *REST)])

    assert capsys.readouterr().out.count("x") == 90

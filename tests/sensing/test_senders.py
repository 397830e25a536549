"""The samples of docs/senders.md: what Elastic, Sentinel and Defender XDR send is read, and names its target."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bypass_responder.detection import detect
from bypass_responder.model.alert import Alert
from bypass_responder.model.change import BypassChange, Switch
from bypass_responder.sensing.alert import read_alert

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "senders.md").read_text(encoding="utf-8")
TENANT, TARGET = "5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70", "7d3b1c52-4c7d-4e0b-8f0a-2b6f0a9d1e11"


def sample(sender: str) -> Alert:
    """The one sample under a sender's heading, as Event Grid delivers it."""
    section = DOCUMENT.split(f"## {sender}\n", 1)[1].split("\n## ", 1)[0]
    [event] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    alert = read_alert(json.dumps(json.loads(event)).encode(), tenant_id=TENANT)
    assert isinstance(alert, Alert)
    return alert


def test_what_elastic_sends_is_a_hint_about_the_target() -> None:
    [hint] = sample("Elastic").hints

    assert (hint.target, hint.actor) == (TARGET, "mallory@contoso.onmicrosoft.com")


@pytest.mark.parametrize("sender", ["Sentinel", "Defender XDR"])
def test_what_sentinel_and_defender_send_carries_the_record(sender: str) -> None:
    [record] = sample(sender).records
    change = detect(record)

    assert isinstance(change, BypassChange)
    assert (change.object_id_text, change.identity_text) == (TARGET, "alex@contoso.onmicrosoft.com")
    assert (change.switch, change.actor.user_id) == (Switch.ON, "mallory@contoso.onmicrosoft.com")


@pytest.mark.parametrize("sender", ["Elastic", "Sentinel", "Defender XDR"])
def test_each_sample_says_who_sent_it_and_when(sender: str) -> None:
    alert = sample(sender)

    assert alert.source
    assert alert.sent_at

"""Each command in a notification can be pasted as it stands.

Every kind of notification is played on the app's own code.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer

from bypass_responder.case.health_alerts import ADVICE, end_alert
from bypass_responder.case.tasks import contain_actors
from bypass_responder.cli.app import app
from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.decision_message import Author, Channel, DecisionKind, Shown
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.finding import Source
from bypass_responder.model.log import ABOUTS
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.notification import Notification
from bypass_responder.model.question import Found, Item
from bypass_responder.session import change_health, raise_health
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from bypass_responder.triggers.gather_evidence import gather_evidence
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.case.plans import object_id
from tests.fakes import FakeSource
from tests.sensing.builders import a_bypass, another
from tests.triggers.plans import Mailboxes, a_plan, applies, carried_out, decides
from tests.world import ALEX, BLAKE, START, TENANT, World, a_finding, an_account, an_entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MALLORY = "mallory@contoso.onmicrosoft.com"
APP = "0f0f0f0f-0000-4000-8000-00000000000e"
ACTORS = (
    Actor(user_id="o'hara@contoso.onmicrosoft.com", user_type="2", client_ip="203.0.113.7"),
    Actor(user_id="pat_fabrikam.example#EXT#@contoso.onmicrosoft.com", user_type="Regular"),
    Actor(user_id=f"ServicePrincipal_{APP}", app_id=APP, user_type="6"),
    Actor(object_id=APP, user_type="5"),
    Actor(user_id="tech@partner.example", user_type="9", external=True),
    Actor(user_id="NT AUTHORITY\\SYSTEM (w3wp)", user_type="3", external=True),
    Actor(user_id="a@b.example; rm -rf /", user_type="2"),
    Actor(user_id="$(id)@b.example\n\x1b[A", user_type="2"),
    Actor(),
)


async def incident(world: World, target: str = ALEX) -> str:
    return (await world.incidents(target))[-1].id


async def contained(**finding: Any) -> World:
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    world.bypassed[ALEX] = True
    await world.sees(a_finding(**finding))
    await world.answer()
    await world.passes(seconds=6)
    return world


async def decided_and_acknowledged() -> World:
    world = await contained()
    await world.decides("acknowledge", await incident(world))
    with pytest.raises(RefusedError):
        await world.decides("close", await incident(world), author=Author(name=MALLORY))
    await world.decides("close", await incident(world))
    return world


async def unacknowledged() -> World:
    world = await contained()
    await world.passes(hours=5)
    return world


async def held() -> World:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())
    return world


async def unresolved() -> World:
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    world.names["shared"] = [ALEX, BLAKE]
    world.bypassed[BLAKE] = True
    await world.sees(a_finding(object_id_text="", identity_text="shared"))
    for _ in range(4):
        await world.answer()
        await world.passes(minutes=1)
    return world


async def observed_then_enforced() -> World:
    world = World(mode="observe")
    await world.sees(a_finding())
    await world.passes(minutes=1)
    world.deploy()
    await world.passes(minutes=1)
    return world


async def protected_later() -> World:
    world = await contained()
    world.deploy(protected_object_ids=ALEX)
    for _ in range(4):
        await world.passes(minutes=10)
    return world


async def restoring() -> World:
    world = World(protected_object_ids=ALEX)
    await world.sees(a_finding())
    return world


async def flapping() -> World:
    world = await contained()
    for switch, minutes in ((Switch.OFF, 50), (Switch.ON, 40)):
        await world.sees(a_finding(switch=switch, effective_at=START - timedelta(minutes=minutes)))
    return world


async def late() -> World:
    world = await contained()
    world.now += timedelta(hours=3)
    await world.decides("dismiss", await incident(world))
    await world.sees(a_finding(effective_at=START - timedelta(minutes=30)))
    return world


async def many() -> World:
    ids = [f"aaaaaaaa-0000-4000-8000-{number:012d}" for number in range(3)]
    world = World(*(an_account(each, f"p{each[-1]}@contoso.onmicrosoft.com") for each in ids))
    for each in ids:
        name = f"p{each[-1]}@contoso.onmicrosoft.com"
        await world.sees(a_finding(object_id_text=each, identity_text=name, effective_at=world.now))
    return world


async def failed() -> World:
    world = World()
    world.directory.fail("set_sign_in", PermissionMissingError("403", permission="an Entra role"), always=True)
    await world.sees(a_finding())
    return world


async def guest() -> World:
    world = World(an_account(guest=True))
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    return world


async def unknown() -> World:
    world = World()
    await world.sees(a_finding(object_id_text="", identity_text="Megan Bowen"))
    for _ in range(4):
        await world.answer()
        await world.passes(minutes=1)
    return world


async def synchronized() -> World:
    name = "o'hara@contoso.onmicrosoft.com"
    world = World(an_account(upn=name, on_premises_sync_enabled=True))
    await world.sees(a_finding(identity_text=name))
    await world.answer()
    await world.passes(seconds=10)
    return world


async def enabled_again() -> World:
    world = await contained()
    world.directory.change(ALEX, account_enabled=True)
    for minutes in (61, 3, 3):
        await world.passes(minutes=minutes)
    return world


async def swept() -> World:
    """The first sweep, whose incident is dismissed; the bypass stays on."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=1)
    await world.decides("dismiss", await incident(world))
    world.now += timedelta(minutes=15)
    await world.sweep()
    return world


async def allowed() -> World:
    """An entry is added, used and then changed."""
    world = World()
    await world.passes(minutes=1)
    world.allowlist.rows[ALEX] = an_entry()
    await world.passes(minutes=1)
    await world.sees(a_finding(effective_at=world.now + timedelta(minutes=5)))
    return world


async def expired() -> World:
    world = World()
    world.allowlist.rows[ALEX] = an_entry(expires_at=START + timedelta(days=1))
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(days=2)
    await world.sweep()
    await world.answer()
    return world


async def expiring() -> World:
    """An entry expires next week."""
    world = World()
    world.allowlist.rows[ALEX] = an_entry(expires_at=START + timedelta(days=7))
    for _ in range(8):
        await world.passes(days=1)
    return world


async def undecided() -> World:
    world = World()
    world.directory.fail("find", TransientError("500"), always=True)
    for _ in range(20):
        with pytest.raises(ExceptionGroup):
            await (world.sees(a_finding(id="one")) if not world.now > START else world.passes(minutes=1))
        world.now += timedelta(minutes=1)
    return world


async def unreadable() -> World:
    world = World()
    await carry_out_decision(b"{}", world.services, channel=Channel.BYPASSCTL)
    return world


async def fed(*records: dict[str, Any]) -> World:
    world = World()
    await poll_audit_feed(world.services)
    created, expires = START + timedelta(minutes=1), START + timedelta(days=7)
    world.feed.publish(
        ContentBlob(content_id="one", uri="", created=created, expires=expires), json.dumps(records).encode()
    )
    world.now += timedelta(minutes=5)
    await poll_audit_feed(world.services)
    return world


async def unreadable_records() -> World:
    return await fed(a_bypass(CreationTime="never"), another())


async def tampered() -> World:
    name, value = "UnifiedAuditLogIngestionEnabled", "False"
    record = {"Operation": "Set-AdminAuditLogConfig", "Parameters": [{"Name": name, "Value": value}]}
    return await fed(a_bypass(OrganizationId=TENANT, **record))


async def poison() -> World:
    world = World()
    await world.sees(a_finding())
    world.exchange.poison.append(world.exchange.sent[0].model_dump_json())
    await world.passes(minutes=1)
    return world


async def worker_fails() -> World:
    world = World()
    await world.sees(a_finding(effective_at=START - timedelta(hours=48)))
    await world.answer(outcome=ExchangeOutcome.FAILED, resolved=None, before=None, error="down")
    return world


async def worker_silent() -> World:
    world = World()
    await world.sees(a_finding())
    for _ in range(4):
        await world.passes(minutes=12)
    return world


async def followed() -> World:
    """The evidence run finds a rule that forwards outside."""
    world = await contained()
    rule = Item(what="inbox rule", detail={"to": "drop@example.net"}, notable="forwards outside")
    world.sources.update({source.name: FakeSource() for source in SOURCES})
    world.sources["inbox_rules"] = FakeSource(Found(count=1, items=(rule,)))
    await gather_evidence(world.services)
    await world.passes(minutes=20)
    await gather_evidence(world.services)
    return world


async def tested() -> World:
    world = World()
    message = await world.a_decision("test_notification", "", TENANT_TARGET, shown=Shown())
    await world.delivers(message)
    return world


async def planned() -> World:
    """A plan is held, goes on, and ends partly done; its undo ends."""
    world = World()
    mailboxes = Mailboxes(world)
    del mailboxes.now[object_id(0)]
    await applies(world, a_plan())
    world.deploy(mode="observe")
    await carried_out(world, mailboxes, hours=0)
    world.deploy()
    run = await carried_out(world, mailboxes)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await carried_out(world, mailboxes)
    return world


async def alerts() -> World:
    world = World()
    for alert in ADVICE:
        await raise_health(alert, "detail", world.services)
        await change_health(lambda draft, alert=alert: end_alert(draft, alert), world.services)  # type: ignore[misc]
    return world


def by(actor: Actor) -> Callable[[], Awaitable[World]]:
    return lambda: contained(actor=actor)


def attempted(actor: Actor) -> Callable[[], Awaitable[World]]:
    async def play() -> World:
        world = World()
        await world.sees(a_finding(outcome=Outcome.FAILED, actor=actor, source=Source.FEED))
        return world

    return play


SCENARIOS: tuple[Callable[[], Awaitable[World]], ...] = (
    *(decided_and_acknowledged, unacknowledged, held, unresolved, observed_then_enforced, protected_later, restoring),
    *(
        flapping,
        late,
        many,
        failed,
        guest,
        unknown,
        synchronized,
        enabled_again,
        swept,
        allowed,
        expired,
        expiring,
        undecided,
        unreadable,
        poison,
    ),
    *(unreadable_records, tampered, worker_fails, worker_silent, followed, tested, planned, alerts),
    *(attempted(ACTORS[0]), attempted(Actor())),
    *map(by, ACTORS),
)


async def played() -> list[Notification]:
    found = []
    for play in SCENARIOS:
        world = await play()
        for target in await world.ledger.targets():
            found += (await world.ledger.load(target, history=True)).rows(Notification)
    return found


@pytest.fixture(scope="module")
def notes() -> list[Notification]:
    return asyncio.run(played())


def commands(notes: list[Notification], *, exchange: bool) -> list[str]:
    every = sorted({command for note in notes for command in note.commands})
    return [each for each in every if bool(re.match(r"\(?(Get|Set)-", each)) is exchange]


def test_every_kind_of_notification_is_played(notes: list[Notification]) -> None:
    assert sorted({note.about for note in notes}) == sorted(ABOUTS)


def test_bypassctl_takes_each_of_its_commands(notes: list[Notification]) -> None:
    program = typer.main.get_command(app)
    own = [shlex.split(each) for each in commands(notes, exchange=False) if each.startswith("bypassctl ")]

    assert len(own) > 20
    for words in own:
        _parse(program, words[1:])


def _parse(command: Any, words: list[str]) -> None:
    """Parse as the program does, without running anything. Raises UsageError."""
    while words and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    if words != ["--help"]:
        command.make_context("bypassctl", words)


def test_a_shell_takes_each_command_as_one_with_its_words(notes: list[Notification]) -> None:
    for command in commands(notes, exchange=False):
        program, *words = shlex.split(command)

        assert program in {"az", "azd", "bypassctl"}
        assert not any(character in command for character in ";&|<>`\n\x1b")
        assert all(word.isprintable() for word in words)


def test_no_line_names_a_command_that_is_not_in_the_list(notes: list[Notification]) -> None:
    stray = [
        line
        for note in notes
        for line in note.left_to_do
        if re.search(r"\b(bypassctl|az) [a-z]|\b(Set|Get)-[A-Z]", line)
        and not any(line.endswith(f": {command}") for command in note.commands)
    ]

    assert stray == []


def test_no_command_has_a_gap_to_fill_but_the_ticket(notes: list[Notification]) -> None:
    """Nor the account of an incident that has no candidate: only a person can find that."""
    filled = [
        each.replace('--reason "TICKET"', "").replace("--account OBJECT_ID_OR_UPN", "")
        for note in notes
        for each in note.commands
    ]

    assert [each for each in filled if re.search(r"…|<\w|\b(TARGET|ACCOUNT|ID|NAME|WHO|\w+_OR_\w+)\b", each)] == []


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_powershell_takes_each_cmdlet(notes: list[Notification]) -> None:
    script = (
        "$errors = $null; $null = [System.Management.Automation.Language.Parser]::ParseInput("
        "[Console]::In.ReadToEnd(), [ref]$null, [ref]$errors); $errors | ForEach-Object { $_.Message }"
    )
    given = "\n".join(commands(notes, exchange=True))
    called = ["pwsh", "-NoProfile", "-NonInteractive", "-Command", script]
    ended = subprocess.run(called, input=given, capture_output=True, text=True, check=True, timeout=60)

    assert given
    assert ended.stdout == ""


def test_a_cmdlet_has_the_parameters_that_exchange_knows(notes: list[Notification]) -> None:
    known = {
        "Set-MailboxAuditBypassAssociation": {"-Identity", "-AuditBypassEnabled"},
        "Set-OrganizationConfig": {"-AuditDisabled"},
        "Set-AdminAuditLogConfig": {"-UnifiedAuditLogIngestionEnabled"},
        "(Get-AdminAuditLogConfig).UnifiedAuditLogIngestionEnabled": set(),
    }
    used = [each.split(" ") for each in commands(notes, exchange=True) if not each.startswith("Get-ADUser")]

    assert all({word for word in words if re.match(r"-[A-Z]", word)} == known[words[0]] for words in used)
    assert all(words[-1] in {"$false", "$true"} for words in used if len(words) > 1)


def test_a_command_of_entra_names_its_role_and_one_of_exchange_its_own(notes: list[Notification]) -> None:
    todo = [line for note in notes for line in note.left_to_do]
    blocks = [line for line in todo if "--account-enabled false" in line or "Find out who enabled it" in line]
    cmdlets = [line for line in todo if "Set-MailboxAuditBypassAssociation -Identity" in line]

    assert blocks
    assert [line for line in blocks if "needs the Entra role" not in line] == []
    assert [line for line in cmdlets if "Exchange Administrator" not in line] == []


def test_a_synchronized_account_is_disabled_where_it_comes_from(notes: list[Notification]) -> None:
    [note] = [note for note in notes if note.about == "step_ineffective" and "directory synchronization:" in note.title]
    found = "Get-ADUser -Filter \"UserPrincipalName -eq 'o''hara@contoso.onmicrosoft.com'\""

    assert note.commands[1:3] == (f"{found} | Disable-ADAccount", f"{found} | Set-ADAccountPassword -Reset")
    assert not any("--password" in each and "o'hara" in each for each in note.commands)


def test_a_notification_says_in_two_sentences_what_happened_and_what_is_true(notes: list[Notification]) -> None:
    contained = next(note for note in notes if note.about == "contained" and "o'hara" in note.text)

    assert contained.text == (
        "o'hara@contoso.onmicrosoft.com (administrator, from 203.0.113.7) switched the mailbox audit bypass of "
        f"alex@contoso.onmicrosoft.com ({ALEX}) on at 2026-03-02 08:00:00Z. Now sign-in is blocked, the revocation "
        "of its sessions is accepted, and auditing has been on again since 2026-03-02 09:00:00Z "
        "(sign-in read at 2026-03-02 09:00:06Z). Why: not on the allowlist."
    )


def test_no_text_has_a_word_of_the_code(notes: list[Notification]) -> None:
    jargon = re.compile(r"block_sign_in|revoke_sessions|disable_bypass|\bacted\b|\bclaimed: |by hand|\btold\b")
    spoken = [text for note in notes for text in (note.title, note.text, *note.left_to_do)]

    assert [text for text in spoken if jargon.search(text)] == []


async def test_an_actor_whose_name_begins_with_a_hyphen_is_no_option_of_a_command() -> None:
    tasks = contain_actors([Actor(user_id="-x@contoso.com", user_type="2")])
    words = [word for task in tasks for word in shlex.split(task.command)]

    assert "--id=-x@contoso.com" in words
    assert "-x@contoso.com" not in words

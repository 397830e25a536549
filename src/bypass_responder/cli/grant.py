"""``bypassctl grant``: gives the two identities their rights in the directory, or takes them back."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    say,
    show_json,
    show_table,
    stop,
)
from bypass_responder.errors import RefusedError, ResponderError, TransientError
from bypass_responder.operating.grant import Blocker, Item, Plan, give, look, named, progress, take
from bypass_responder.rights import EXCHANGE_ROLE_GROUP, WORKER_CMDLETS, Api
from bypass_responder.settings import GrantSettings

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Rights

SCRIPT = "exchange_role_group.ps1"
PAUSE_SECONDS = 1.0
"""Before the second try of a call, and the second look; it doubles."""
LOOKS = 6
"""How often the directory is read after a change, until it shows it."""
TOKENS = (
    "An app that ran before this keeps its token, without these rights, for up to a day: `bypassctl doctor` says until "
    "when. Deploy after this command."
)
EXCHANGE_NEXT = (
    "Next, an Exchange administrator: bypassctl grant --exchange-script > exchange-role-group.ps1, and run it in "
    "Exchange Online PowerShell."
)


def grant(
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take back what this command gives.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look. Exit status 1: something is missing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    block_administrators: Annotated[
        Blocker | None, typer.Option(help="Also an Entra role, so that administrators can be blocked. A strong right.")
    ] = None,
    exchange_script: Annotated[
        bool, typer.Option("--exchange-script", help="Print what an Exchange administrator runs, and do nothing.")
    ] = False,
    output: Format = Output.TABLE,
) -> None:
    """Give the two identities their rights in the directory: shows the plan, asks, does it, reads it back."""
    if exchange_script:
        print(script(_settings()))  # noqa: T201 - this is the program's output
        return
    if revoke and check:
        stop("--revoke and --check do not go together.", WRONG_CALL)
    if output is Output.JSON and not (check or yes):
        stop("--format json shows no plan to say yes to: add --yes, or --check to look.", WRONG_CALL)
    wanted = _Wanted(revoke=revoke, check=check, yes=yes, blocker=block_administrators, output=output)
    try:
        complete = _carry_out(wanted)
    except ResponderError as error:
        stop(error.diagnostics())
    if output is Output.TABLE and complete and not revoke:
        say(EXCHANGE_NEXT)
    raise typer.Exit(0 if complete else BAD_NEWS)


def script(settings: GrantSettings) -> str:
    """The script for Exchange, with the ids of the worker's identity and the cmdlets that it needs."""
    text = resources.files("bypass_responder.cli").joinpath(SCRIPT).read_text(encoding="utf-8")
    cmdlets = ", ".join(f"'{name}'" for name in WORKER_CMDLETS)
    given = {
        "__APPLICATION_ID__": settings.worker_client_id,
        "__OBJECT_ID__": settings.worker_principal_id,
        "__GROUP__": EXCHANGE_ROLE_GROUP,
        "'__CMDLETS__'": cmdlets,
    }
    for mark, value in given.items():
        text = text.replace(mark, value)
    return text


def _settings() -> GrantSettings:
    try:
        return GrantSettings.from_environment(os.environ)
    except ResponderError as error:
        stop(error.diagnostics())


def _carry_out(wanted: _Wanted) -> bool:
    """Look, ask, do, look again; whether the end is what was wanted.

    The question stands outside of the event loop, in which Ctrl-C would not end it.
    """
    with asyncio.Runner() as runner:
        rights = runner.run(_rights())
        try:
            to_do = runner.run(wanted.plan(rights))
            if wanted.check or not to_do:
                return not to_do
            wanted.ask()
            runner.run(wanted.do(rights))
        except KeyboardInterrupt:
            stop(wanted.broken_off())
        finally:
            runner.run(rights.aclose())
    return True


async def _rights() -> Rights:
    from bypass_responder.bootstrap import build_rights

    return build_rights(os.environ, pause_seconds=PAUSE_SECONDS)


class _Wanted:
    """What the person asked for, and how far it got: ``left`` and ``done``."""

    def __init__(self, *, revoke: bool, check: bool, yes: bool, blocker: Blocker | None, output: Output) -> None:
        self.revoke, self.check, self.yes, self.blocker, self.output = revoke, check, yes, blocker, output
        self.left: list[Item] = []
        self.done: list[Item] = []
        self._before = Plan(items=())

    async def plan(self, rights: Rights) -> list[Item]:
        """Read and show; what is to be done."""
        await _require_tenant(rights)
        self._before = await self._look(rights)
        to_do = list(self._before.there if self.revoke else self._before.missing)
        if self.output is Output.TABLE:
            show(self._before, revoke=self.revoke)
        if self.check or not to_do:
            self._json(self._before)
        self.left = to_do.copy()
        return to_do

    async def do(self, rights: Rights) -> None:
        """Carry it out, and read it back."""
        changed = tuple(self.left)

        def tell(item: Item) -> None:
            self.left.remove(item)
            self.done.append(item)
            if self.output is Output.TABLE:
                say(f"{self.verb}  {item}")

        await (take if self.revoke else give)(self._before, rights.directory, tell)
        self._json(await self._proven(rights, changed))
        if self.output is Output.TABLE:
            read_back = f"Read back: {len(changed)} {'gone' if self.revoke else 'there'}."
            say(read_back if self.revoke else f"{read_back} {TOKENS}")

    @property
    def verb(self) -> str:
        """What happens to a right, as a participle."""
        return "taken back" if self.revoke else "given"

    def broken_off(self) -> str:
        """What a person who pressed Ctrl-C has to know. The first that is left may have happened all the same."""
        if not (self.done or self.left):
            return "Broken off. Nothing was changed."
        return f"Broken off. {progress(self.done, self.left, self.verb)} It is safe to run again."

    async def _look(self, rights: Rights) -> Plan:
        return await look(
            rights.directory,
            named(rights.settings),
            blocker=self.blocker,
            taking_back=self.revoke,
        )

    async def _proven(self, rights: Rights, changed: tuple[Item, ...]) -> Plan:
        """Read until the directory shows the change; it may take some seconds."""
        keys = {(item.principal_id, item.role_id) for item in changed}
        left: list[Item] = []
        for attempt in range(LOOKS):
            after = await self._look(rights)
            open_items = after.there if self.revoke else after.missing
            left = [item for item in open_items if (item.principal_id, item.role_id) in keys]
            if not left:
                return after
            await asyncio.sleep(PAUSE_SECONDS * 2.0**attempt)
        raise TransientError(f"The directory accepted it and does not show it yet: {'; '.join(map(str, left))}.")

    def ask(self) -> None:
        """Let the person agree, or stop."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            stop("Nobody is there to be asked: read the plan above, then add --yes.", WRONG_CALL)
        verb = "Take back" if self.revoke else "Give"
        try:
            agreed = typer.confirm(f"{verb} these {len(self.left)}?", err=True)
        except typer.Abort:  # Ctrl-C, or the end of the input
            agreed = False
        if not agreed:
            stop("Nothing was changed.")

    def _json(self, found: Plan) -> None:
        if self.output is Output.JSON:
            show_json(
                {
                    "complete": not (found.there if self.revoke else found.missing),
                    "missing": [item.model_dump(mode="json") for item in found.missing],
                    "there": [item.model_dump(mode="json") for item in found.there],
                    "extras": list(found.extras),
                    "changed": [item.model_dump(mode="json") for item in self.done],
                }
            )


async def _require_tenant(rights: Rights) -> None:
    """Stop before anything is read where the person is signed in elsewhere."""
    token = await rights.tokens.look(Api.GRAPH)
    if token.problem:
        raise RefusedError(
            f"Nobody is signed in: {token.problem.rstrip('.')}. Run az login --tenant {rights.settings.tenant_id}."
        )
    if token.tenant_id != rights.settings.tenant_id:
        raise RefusedError(
            f"You are signed in to tenant {token.tenant_id}, and TENANT_ID is {rights.settings.tenant_id}: "
            f"az login --tenant {rights.settings.tenant_id}."
        )


def show(found: Plan, *, revoke: bool) -> None:
    """The plan for people: what is there, what is to come, what should not be there."""
    words = ("take back", "not there") if revoke else ("there", "GIVE")
    show_table(
        ("", "identity", "right", "of", "without it"),
        [
            (
                words[0] if item.assignment_id else words[1],
                f"{item.who}, {item.name}",
                item.right,
                item.of,
                item.without,
            )
            for item in found.items
        ],
    )
    for name, object_id in dict.fromkeys((item.name, item.principal_id) for item in found.items):
        say(f"{name} is {object_id}")
    for extra in found.extras:
        say(f"not ours, and left alone: {extra}. More than it needs: take it back in Entra.", style="yellow")

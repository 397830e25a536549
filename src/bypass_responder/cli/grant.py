"""``bypassctl grant``: grant the two identities their rights in the directory, or revoke them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    confirm,
    environment,
    say,
    show_document,
    show_table,
    stop,
)
from bypass_responder.errors import RefusedError, ResponderError, TransientError
from bypass_responder.operating.grant import (
    Blocker,
    Item,
    Plan,
    grant_missing,
    identities_of,
    progress,
    read_plan,
    revoke_granted,
)
from bypass_responder.rights import EXCHANGE_GRANTS, SERVICES, Api, AppRole, ExchangeSet, evidence_roles
from bypass_responder.settings import GrantSettings

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Rights

EXCHANGE_SCRIPT = "exchange_role_group.ps1"
DIRECTORY_SCRIPT = "directory_rights.sh"
PAUSE_SECONDS = 1.0
"""The wait before the second attempt of a call or read-back; it doubles."""
READ_BACKS = 6
"""Maximum number of reads after a change, until the directory shows it."""
TOKENS = (
    "An app that is already running keeps a token without these rights for up to a day: `bypassctl doctor` shows until "
    "when. Deploy after this command."
)
EXCHANGE_NEXT = (
    "Next, as an Exchange administrator: bypassctl grant --exchange-script > exchange-role-group.ps1, then run it "
    "in Exchange Online PowerShell."
)


def grant(
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke the rights that this command grants.")] = False,
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Check only; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    block_administrators: Annotated[
        Blocker | None,
        typer.Option(help="Also grant User (or Privileged Authentication) Administrator, to block administrators too."),
    ] = None,
    evidence: Annotated[
        str,
        typer.Option(
            help="Also grant the permissions for evidence: core, full, or single permissions, comma-separated."
        ),
    ] = "",
    as_script: Annotated[
        bool, typer.Option("--script", help="Print these grants as a script of `az rest` commands; change nothing.")
    ] = False,
    exchange_script: Annotated[
        bool, typer.Option("--exchange-script", help="Print the script for an Exchange administrator; change nothing.")
    ] = False,
    exchange_set: Annotated[
        ExchangeSet,
        typer.Option("--set", help="With --exchange-script: which cmdlets. reads and changes are optional."),
    ] = ExchangeSet.RESPONSE,
    output: Format = Output.TABLE,
) -> None:
    """Grant the responder's and the worker's identities their rights in the directory.

    Shows the plan, asks for confirmation, applies it and reads it back.
    Required role: Privileged Role Administrator or Global Administrator.

    Exit code 0: complete. 1: rights are missing. 3: failed or stopped.
    """
    if exchange_script:
        print(script(_settings(), exchange_set))  # noqa: T201 - this is the program's output
        return
    if exchange_set is not ExchangeSet.RESPONSE:
        stop("--set needs --exchange-script.", WRONG_CALL)
    optional = _evidence(evidence)
    if as_script:
        if revoke or check or block_administrators:
            stop("--script can be combined with --evidence only: it prints what `grant` does.", WRONG_CALL)
        print(_directory_script(optional), end="")  # noqa: T201 - this is the program's output
        return
    if revoke and (check or optional):
        other = "--check" if check else "--evidence"
        why = "Use one of them" if check else "Without it, --revoke revokes the permissions for evidence as well"
        stop(f"--revoke and {other} cannot be combined. {why}.", WRONG_CALL)
    if output is not Output.TABLE and not (check or yes):
        how = "Add --yes to apply, or --check to check only"
        stop(f"--output {output.value} cannot ask for confirmation. {how}.", WRONG_CALL)
    run = _Run(revoke=revoke, check=check, yes=yes, blocker=block_administrators, evidence=optional, output=output)
    try:
        complete = _carry_out(run)
    except ResponderError as error:
        stop(error.diagnostics())
    if output is Output.TABLE and complete and not revoke:
        say(EXCHANGE_NEXT)
    raise typer.Exit(0 if complete else BAD_NEWS)


def script(settings: GrantSettings, granted: ExchangeSet = ExchangeSet.RESPONSE) -> str:
    """Return the Exchange script, with the ids of the worker and the cmdlets of a set filled in."""
    given = EXCHANGE_GRANTS[granted]
    values = {
        "__APPLICATION_ID__": settings.worker_client_id,
        "__OBJECT_ID__": settings.worker_principal_id,
        "__GROUP__": given.group,
        "'__CMDLETS__'": _quoted(given.cmdlets),
        "'__PARAMETERS__'": _quoted(given.parameters),
    }
    return _filled(EXCHANGE_SCRIPT, values)


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def directory_script(settings: GrantSettings, evidence: tuple[AppRole, ...] = ()) -> str:
    """Return the script that grants the directory permissions, for an administrator without bypassctl.

    Raises RefusedError when both identities are the same.
    """
    identities = identities_of(settings, evidence)
    calls = [f"verify {each.who} {each.object_id} {each.application_id}" for each in identities if each.wanted]
    for each in identities:
        for role in each.wanted:
            what = f"{each.who}: {role.value} ({SERVICES[role.api]})"
            calls += [
                "",
                f"# Without it, {role.missing}.",
                f"grant {each.object_id} {role.api.value} {role.id} '{what}'",
            ]
    values = {"__TENANT__": settings.tenant_id, "__GRAPH__": settings.graph_url, "__CALLS__": "\n".join(calls)}
    return _filled(DIRECTORY_SCRIPT, values)


def _filled(script: str, values: dict[str, str]) -> str:
    text = resources.files("bypass_responder.cli").joinpath(script).read_text(encoding="utf-8")
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _evidence(words: str) -> tuple[AppRole, ...]:
    try:
        return evidence_roles(words)
    except ValueError as problem:
        stop(f"--evidence: {problem}.", WRONG_CALL)


def _directory_script(evidence: tuple[AppRole, ...]) -> str:
    try:
        return directory_script(_settings(), evidence)
    except ResponderError as error:
        stop(error.diagnostics())


def _settings() -> GrantSettings:
    try:
        return GrantSettings.from_environment(environment())
    except ResponderError as error:
        stop(error.diagnostics())


def _carry_out(run: _Run) -> bool:
    """Plan, confirm, apply and read back. Returns True when nothing is left to change.

    The confirmation runs outside the event loop, where Ctrl-C ends it.
    """
    with asyncio.Runner() as runner:
        rights = runner.run(_rights())
        try:
            to_do = runner.run(run.plan(rights))
            if run.check or not to_do:
                return not to_do and not run.forbidden
            run.ask()
            runner.run(run.do(rights))
        except KeyboardInterrupt:
            stop(run.interrupted())
        finally:
            runner.run(rights.aclose())
    return True


async def _rights() -> Rights:
    from bypass_responder.bootstrap import build_rights

    return build_rights(environment(), pause_seconds=PAUSE_SECONDS)


@dataclass
class _Run:
    """One run of the command: its options, and its progress in ``left`` and ``done``."""

    revoke: bool
    check: bool
    yes: bool
    blocker: Blocker | None
    evidence: tuple[AppRole, ...]
    output: Output
    left: list[Item] = field(default_factory=list)
    done: list[Item] = field(default_factory=list)
    _before: Plan = field(default_factory=lambda: Plan(items=()))

    async def plan(self, rights: Rights) -> list[Item]:
        """Read and print the plan. Returns the rights to change."""
        await _require_tenant(rights)
        self._before = await self._read_plan(rights)
        to_do = list(self._before.granted if self.revoke else self._before.missing)
        if self.output is Output.TABLE:
            show(self._before, revoke=self.revoke)
        if self.check or not to_do:
            self._json(self._before)
        self.left = to_do.copy()
        return to_do

    async def do(self, rights: Rights) -> None:
        """Apply the changes and read them back."""
        changed = tuple(self.left)

        def mark_done(item: Item) -> None:
            self.left.remove(item)
            self.done.append(item)
            if self.output is Output.TABLE:
                say(f"{self.verb}  {item}")

        await (revoke_granted if self.revoke else grant_missing)(self._before, rights.directory, mark_done)
        self._json(await self._proven(rights, changed))
        if self.output is Output.TABLE:
            read_back = f"Read back: {len(changed)} {self.verb}."
            say(read_back if self.revoke else f"{read_back} {TOKENS}")

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Return the rights that the console must not have."""
        return self._before.forbidden

    @property
    def verb(self) -> str:
        """Return the past participle for a changed right."""
        return "revoked" if self.revoke else "granted"

    def interrupted(self) -> str:
        """Return the message after Ctrl-C. The first remaining change may have been applied."""
        if not (self.done or self.left):
            return "Interrupted. Nothing was changed."
        return f"Interrupted. {progress(self.done, self.left, self.verb)} It is safe to run the command again."

    async def _read_plan(self, rights: Rights) -> Plan:
        known = identities_of(rights.settings, self.evidence)
        return await read_plan(rights.directory, known, blocker=self.blocker, revoke=self.revoke)

    async def _proven(self, rights: Rights, changed: tuple[Item, ...]) -> Plan:
        """Read the directory until it shows the change. Raises TransientError when it does not in time."""
        keys = {(item.principal_id, item.role_id) for item in changed}
        left: list[Item] = []
        for attempt in range(READ_BACKS):
            after = await self._read_plan(rights)
            open_items = after.granted if self.revoke else after.missing
            left = [item for item in open_items if (item.principal_id, item.role_id) in keys]
            if not left:
                return after
            await asyncio.sleep(PAUSE_SECONDS * 2.0**attempt)
        raise TransientError(
            f"The directory accepted the change but does not show it yet: {'; '.join(map(str, left))}."
        )

    def ask(self) -> None:
        """Ask for confirmation. Exits when the person does not confirm."""
        verb = "Revoke" if self.revoke else "Grant"
        confirm(f"{verb} these {len(self.left)} rights?", yes=self.yes)

    def _json(self, found: Plan) -> None:
        if self.output is not Output.TABLE:
            items = {"missing": found.missing, "granted": found.granted, "changed": self.done}
            lists = {name: [item.model_dump(mode="json") for item in these] for name, these in items.items()}
            complete = not (found.granted if self.revoke else found.missing) and not found.forbidden
            more = {"extras": list(found.extras), "forbidden": list(found.forbidden)}
            show_document({"complete": complete} | more | lists, self.output)


async def _require_tenant(rights: Rights) -> None:
    """Raise RefusedError when the caller is not signed in to the tenant of TENANT_ID."""
    token = await rights.tokens.inspect(Api.GRAPH)
    if token.problem:
        raise RefusedError(
            f"Not signed in: {token.problem.rstrip('.')}. Sign in: az login --tenant {rights.settings.tenant_id}."
        )
    if token.tenant_id != rights.settings.tenant_id:
        raise RefusedError(
            f"You are signed in to tenant {token.tenant_id}, but TENANT_ID is {rights.settings.tenant_id}. "
            f"Sign in: az login --tenant {rights.settings.tenant_id}."
        )


def show(found: Plan, *, revoke: bool) -> None:
    """Print the plan: granted, missing and extra rights."""
    words = ("REVOKE", "not granted") if revoke else ("granted", "GRANT")
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
    for principal in found.without_rights:
        say(f"{principal.name} is {principal.object_id}: the console, which needs no right in the directory")
    for right in found.forbidden:
        say(f"Forbidden right: {right}. Revoke it in the Entra admin center.", style="bold red")
    for extra in found.extras:
        say(
            f"Extra right, kept: {extra}. The identity does not need it; revoke it in the Entra admin center.",
            style="yellow",
        )

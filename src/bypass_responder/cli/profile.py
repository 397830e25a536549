"""``bypassctl profile``: settings by name, so that a shell needs no variables."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.profile_file import FROM_AZD, KNOWN, SECRETS, STORAGE, Profiles, load, place, save
from bypass_responder.cli.root import Given
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    say,
    show_document,
    show_fields,
    show_list,
    stop,
)
from bypass_responder.errors import SettingError
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

app = typer.Typer(help="Keep settings by name, and choose which to use.", no_args_is_help=True)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
AZD_SECONDS = 60


def names(incomplete: str = "") -> list[str]:
    """Return the profiles for completion; none when the file cannot be read."""
    try:
        return [name for name in load().named if name.startswith(incomplete)]
    except SettingError:
        return []


Name = Annotated[str, typer.Argument(help="Name of the profile.", autocompletion=names)]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the new profile.")],
    *,
    from_azd: Annotated[
        bool, typer.Option("--from-azd", help="Take ids and addresses from the azd environment.")
    ] = False,
    environment: Annotated[str, typer.Option(help="Name of the azd environment; azd's default one if not given.")] = "",
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be repeated.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the profile of this name.")] = False,
) -> None:
    """Add a profile. The first one is used from then on; choose another with bypassctl profile use."""
    if not NAME.fullmatch(name):
        stop(f"{name!r} is not a valid profile name. Use letters, digits, dots, dashes and underscores.", WRONG_CALL)
    profiles = _load()
    if name in profiles.named and not replace:
        stop(f"The profile {name} exists. Show it: bypassctl profile show {name}. To replace it, add --replace.")
    settings = (_from_azd(environment) if from_azd or environment else {}) | dict(map(_setting, setting or ()))
    try:
        Settings.from_environment(settings)
    except SettingError as problem:
        stop(f"{problem} Add it with --set NAME=VALUE, or take all of them with --from-azd.", WRONG_CALL)
    profiles.named[name] = settings
    profiles.current = profiles.current or name
    _save(profiles)
    used = "is in use" if profiles.current == name else f"to use it: bypassctl profile use {name}"
    say(f"Added: {name}; {used}. Check it: bypassctl --profile {name} doctor")


@app.command("list")
def list_profiles(output: Format = Output.TABLE) -> None:
    """List the profiles."""
    profiles = _load()
    found = [
        {"name": name, "in_use": name == (Given.profile or profiles.current), "tenant_id": it.get("TENANT_ID", "")}
        for name, it in sorted(profiles.named.items())
    ]
    table = {
        "profile": lambda it: str(it["name"]),
        "in use": lambda it: "yes" if it["in_use"] else "",
        "tenant": lambda it: str(it["tenant_id"]),
    }
    show_list(found, output, fields=("name", "in_use", "tenant_id"), table=table)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="Name of the profile; the one in use if not given.", autocompletion=names)
    ] = "",
    output: Format = Output.TABLE,
) -> None:
    """Show the settings of a profile, without its secrets."""
    profiles = _load()
    wanted = name or Given.profile or profiles.current
    if not wanted:
        stop("No profile is in use. Add one: bypassctl profile add NAME --from-azd.")
    shown = {each: "(set)" if each in SECRETS else value for each, value in _settings(profiles, wanted).items()}
    if output is Output.TABLE:
        show_fields({"profile": wanted, **shown, "file": place()})
    else:
        show_document({"name": wanted, "settings": shown, "file": str(place())}, output)


@app.command()
def use(name: Name) -> None:
    """Use a profile from now on. Variables of the shell take precedence over its settings."""
    profiles = _load()
    _settings(profiles, name)
    profiles.current = name
    _save(profiles)
    say(f"In use: {name}")


@app.command()
def remove(name: Name) -> None:
    """Remove a profile from the file. Nothing else changes."""
    profiles = _load()
    _settings(profiles, name)
    del profiles.named[name]
    _save(profiles)
    say(f"Removed: {name}")


def _load() -> Profiles:
    try:
        return load()
    except SettingError as problem:
        stop(str(problem))


def _save(profiles: Profiles) -> None:
    try:
        save(profiles)
    except SettingError as problem:
        stop(str(problem))


def _settings(profiles: Profiles, name: str) -> dict[str, str]:
    try:
        return profiles.settings(name)
    except SettingError as problem:
        stop(str(problem), WRONG_CALL)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in KNOWN:
        stop(f"--set {name} is not a setting. Use NAME=VALUE with a name from docs/settings.md.", WRONG_CALL)
    return name, value


def _from_azd(environment: str) -> dict[str, str]:
    """Return what `azd env get-values` prints of ids and addresses. Exits 3 when azd fails, or has none."""
    command = ["azd", "env", "get-values", *(("--environment", environment) if environment else ())]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=AZD_SECONDS)  # noqa: S603 - its own words only
    except FileNotFoundError:
        stop("azd is not installed, or not on the PATH. Name each setting instead: --set NAME=VALUE.")
    except subprocess.TimeoutExpired:
        stop(f"azd did not answer within {AZD_SECONDS} seconds. Try again: {shlex.join(command)}.")
    if ended.returncode:
        why = (ended.stderr or ended.stdout).strip().splitlines() or [f"exit code {ended.returncode}"]
        stop(f"azd failed: {why[0].rstrip('.')}. Run it where azure.yaml is, and name the environment: --environment.")
    values = dict(_values(ended.stdout.splitlines()))
    if lacking := [name for name in ("TENANT_ID", *STORAGE[1:]) if name not in values]:
        stop(f"The azd environment has no {', '.join(lacking)}. Run azd provision first.")
    return {name: values[name] for name in FROM_AZD if values.get(name)}


def _values(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield the names and values of lines such as ``NAME="value"``; other lines are none."""
    for line in lines:
        name, equals, value = line.partition("=")
        if equals:
            try:
                yield name.strip(), "".join(shlex.split(value))
            except ValueError:
                continue

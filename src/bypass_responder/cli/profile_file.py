"""The file of profiles, and the settings of the chosen one where the shell has none.

``config.toml`` in the platform's folder for configuration, readable by its owner only: ``current`` names the profile in
use, and each table ``[profiles.NAME]`` holds settings.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import SecretStr

from bypass_responder.cli.root import Given
from bypass_responder.errors import SettingError
from bypass_responder.settings import GrantSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

STORAGE = ("ResponderStorage", *(f"ResponderStorage__{kind}ServiceUri" for kind in ("table", "queue", "blob")))
IDENTITIES = tuple(name.upper() for name in GrantSettings.model_fields if name.endswith("_id"))
RESOURCES = ("AZURE_RESOURCE_GROUP", "RESPONDER_APP_NAME", "WORKER_APP_NAME", "EVENT_TOPIC_NAME")
FROM_AZD = (*IDENTITIES, *STORAGE[1:], *RESOURCES)
"""What a profile takes from `azd env get-values`: addresses, ids and names, no secret."""
_SECRET_FIELDS = [
    name for name, it in Settings.model_fields.items() if SecretStr in (it.annotation, *get_args(it.annotation))
]
SECRETS = ("ResponderStorage", "NOTIFICATION_WEBHOOK_URL", "IDENTITY_HEADER", *map(str.upper, _SECRET_FIELDS))
"""The secret settings, and what is a secret though its type is another one."""
KNOWN = {*(name.upper() for name in Settings.model_fields if name != "storage"), *FROM_AZD, *SECRETS} | {
    "IDENTITY_ENDPOINT"
}
OTHERS_MAY_READ = 0o077


@dataclass
class Profiles:
    """Every profile by its name, with its settings."""

    current: str | None = None
    named: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, name: str) -> dict[str, str]:
        """Return the settings of one profile. Raises SettingError that lists the profiles."""
        if name in self.named:
            return self.named[name]
        there = f"Profiles: {', '.join(sorted(self.named))}. " if self.named else ""
        raise SettingError(f"There is no profile {name}. {there}Add it: bypassctl profile add {name} --from-azd.")


def place() -> Path:
    """Return the path of the file."""
    import platformdirs

    return platformdirs.user_config_path("bypassctl", appauthor=False) / "config.toml"


def load() -> Profiles:
    """Read the file; no profiles without one. Raises SettingError when it is invalid, or open to others."""
    path = place()
    try:
        with path.open("rb") as file:
            held = tomllib.load(file)
            is_open = os.name == "posix" and os.fstat(file.fileno()).st_mode & OTHERS_MAY_READ
    except FileNotFoundError:
        return Profiles()
    except (OSError, ValueError, RecursionError) as problem:
        raise SettingError(f"{path} cannot be read: {problem}. Correct it, or delete it.") from None
    if why := _problem(held):
        raise SettingError(f"{path}: {why}. Correct it, or delete it.")
    found = Profiles(held.get("current"), held.get("profiles", {}))
    if is_open and any(name in SECRETS for settings in found.named.values() for name in settings):
        raise SettingError(f"{path} holds a secret and is open to others. Close it: chmod 600 {path}.")
    return found


def save(profiles: Profiles) -> None:
    """Replace the file, readable by its owner only. Raises SettingError when that fails."""
    import tomli_w

    path = place()
    current = {"current": profiles.current} if profiles.current in profiles.named else {}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # created with mode 0600
            tomli_w.dump(current | {"profiles": profiles.named}, file)
        Path(file.name).replace(path)
    except OSError as problem:
        raise SettingError(f"{path} cannot be written: {problem.strerror or problem}.") from None


def use_profile() -> list[str]:
    """Add the settings of the chosen profile to the environment, which takes precedence.

    Returns the names that have another value in the shell, when the command line named the profile. Raises SettingError
    for a profile that is not there.
    """
    if Given.applied:
        return []
    profiles = load()
    name = Given.profile or profiles.current
    given = profiles.settings(name) if name else {}
    added = missing(given, os.environ)
    os.environ.update(added)
    Given.applied = True
    kept = {each for each in given if each not in added and os.environ.get(each) != given[each]}
    return sorted(kept) if Given.profile else []


def missing(given: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that the environment does not have. The names of storage are one setting."""
    here = {name for name in given if environment.get(name, "").strip()}
    if any(environment.get(name, "").strip() for name in STORAGE):
        here.update(STORAGE)
    return {name: value for name, value in given.items() if name not in here}


def _problem(held: Mapping[str, object]) -> str:
    named = held.get("profiles", {})
    if not isinstance(held.get("current"), str | None) or not isinstance(named, dict):
        return "current must be a name, and profiles a table"
    for name, settings in named.items():
        if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
            return f"the profile {name} must contain only text values"
        if any("\0" in value for value in settings.values()):
            return f"the profile {name} contains a NUL character, which no setting can have"
        if unknown := sorted(settings.keys() - KNOWN):
            return f"the profile {name} has {unknown[0]}, which is not a setting (docs/settings.md)"
    return ""

"""The file of profiles: what it may hold, who may read it, and what takes precedence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.cli import profile_file
from bypass_responder.cli.profile_file import STORAGE, Profiles, load, missing, place, save, use_profile
from bypass_responder.cli.root import Given
from bypass_responder.errors import SettingError
from tests.world import TENANT

KEY = {"TENANT_ID": TENANT, "ResponderStorage": "UseDevelopmentStorage=true"}
KEYLESS = {name: f"https://x.{name[18:23]}.core.windows.net" for name in STORAGE[1:]}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(profile_file, "place", lambda: tmp_path / "bypassctl" / "config.toml")
    monkeypatch.setattr(Given, "profile", "")
    monkeypatch.setattr(Given, "applied", False)
    monkeypatch.setattr(os, "environ", dict[str, str]())


def here() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in profile_file.KNOWN}


def write(text: str, mode: int = 0o600) -> None:
    path = profile_file.place()
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def test_the_file_is_in_the_platforms_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)})

    assert (place().parent.name, place().name) == ("bypassctl", "config.toml")


def test_without_a_file_there_are_no_profiles() -> None:
    assert load() == Profiles()


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9._-]{0,9}", fullmatch=True), TEXTS, max_size=4))
def test_what_is_saved_is_loaded(values: dict[str, str]) -> None:
    profiles = Profiles(next(iter(values), None), {name: {"TENANT_ID": value} for name, value in values.items()})
    save(profiles)

    assert load() == profiles


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_only_its_owner_reads_the_file() -> None:
    write("", mode=0o644)
    save(Profiles("a", {"a": KEY}))

    assert profile_file.place().stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize(
    "name",
    ["ResponderStorage", "NOTIFICATION_RECEIVERS", "NOTIFICATION_WEBHOOK_SECRET", "NOTIFICATION_WEBHOOK_URL"],
)
def test_a_secret_that_others_may_read_is_refused_with_the_command_that_closes_it(name: str) -> None:
    write(f"[profiles.a]\n{name} = 'x'\n", mode=0o644)

    with pytest.raises(SettingError, match="chmod 600"):
        load()


def test_a_file_without_secrets_may_be_open() -> None:
    write(f"[profiles.a]\nTENANT_ID = '{TENANT}'\n", mode=0o644)

    assert load().named == {"a": {"TENANT_ID": TENANT}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("current = ", "cannot be read"),
        ("current = 5", "current must be a name"),
        ("profiles = 'a'", "profiles a table"),
        ("[profiles]\na = 5", "profile a must contain only text values"),
        ("[profiles.a]\nTENANT_ID = 5", "profile a must contain only text values"),
        ("[profiles.a]\nTENANTID = 'x'", "TENANTID, which is not a setting"),
        ('[profiles.a]\nTENANT_ID = "\\u0000"', "a NUL character"),
        (f"a = {'[' * 100_000}", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_path(text: str, problem: str) -> None:
    write(text)

    with pytest.raises(SettingError, match=problem) as raised:
        load()
    assert "config.toml" in str(raised.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    write("")
    profile_file.place().write_bytes(b"\xff\xfe")

    with pytest.raises(SettingError, match="cannot be read"):
        load()


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingError, match=r"no profile c\. Profiles: a, b\. "):
        Profiles("a", {"b": {}, "a": {}}).settings("c")


# ---- what takes precedence -------------------------------------------------------------------------------------------


def test_the_profile_in_use_completes_the_environment() -> None:
    save(Profiles("a", {"a": KEY}))
    os.environ["TENANT_ID"] = "of the shell"
    use_profile()

    assert here() == {"TENANT_ID": "of the shell", "ResponderStorage": KEY["ResponderStorage"]}


def test_the_command_line_names_another_profile() -> None:
    save(Profiles("a", {"a": KEY, "b": KEYLESS}))
    Given.profile = "b"
    use_profile()

    assert here() == KEYLESS


def test_what_the_shell_overrides_of_a_named_profile_is_returned() -> None:
    save(Profiles("a", {"a": KEY}))
    Given.profile = "a"
    os.environ |= {"TENANT_ID": "of the shell", "MODE": "observe"}

    assert (use_profile(), use_profile()) == (["TENANT_ID"], [])


@pytest.mark.parametrize(
    ("given", "here"), [(KEY, KEYLESS), (KEYLESS, {"ResponderStorage": "x"}), (KEYLESS, {STORAGE[1]: "x"})]
)
def test_storage_is_never_half_of_the_shell_and_half_of_the_profile(
    given: dict[str, str], here: dict[str, str]
) -> None:
    assert missing(given, here).keys() & set(STORAGE) == set()


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_counts_as_not_set(value: str) -> None:
    assert missing(KEY, {"TENANT_ID": value}) == KEY

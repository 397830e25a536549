"""`make exchange-worker` with modules from a folder: the zip's content, and the refused modules."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.exchange_online import Function
from sandbox.exchange_online.powershell import APP, FOLDER
from sandbox.tenant.account import Account
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import a_command, ask, settings
from tests.exchange_worker.packaging import EXCHANGE, PINS, ROOT, Packaging, a_manifest, a_module, refused, sha256


@pytest.fixture
def packaging(tmp_path: Path) -> Packaging:
    return Packaging(tmp_path)


# ---- what is in the zip ----------------------------------------------------------------------------------------------


def test_the_lock_file_pins_the_three_modules_and_has_no_hash_that_is_none() -> None:
    locked = json.loads((APP / "modules.lock.json").read_text(encoding="utf-8"))

    assert {name: each["version"] for name, each in locked.items()} == PINS
    assert all(each["sha256"] is None or re.fullmatch(r"[0-9a-f]{64}", each["sha256"]) for each in locked.values())


def test_the_zip_has_the_app_at_its_root_and_the_modules_below_modules(packaging: Packaging) -> None:
    packaging.save()

    ended = packaging.from_folder()

    assert ended.returncode == 0, ended.stderr
    own = {path.relative_to(APP).as_posix() for path in APP.rglob("*") if path.is_file()}
    assert {"host.json", "profile.ps1", "ExchangeCommands/run.ps1", "ExchangeSweeps/function.json"} <= own
    assert {"ExchangeBypass/ExchangeBypass.psd1", f"Modules/{EXCHANGE}/{EXCHANGE}.psd1"} <= set(packaging.names())
    assert set(packaging.names()) == own - {"local.settings.example.json", "modules.lock.json"} | {
        f"Modules/{name}/{file}" for name in PINS for file in (f"{name}.psd1", "netCore/a.dll")
    }


def test_settings_of_a_laptop_and_modules_that_are_not_locked_stay_out(packaging: Packaging, tmp_path: Path) -> None:
    packaging.save()
    app = tmp_path / "app"
    a_module(app / "Modules" / "Other", "Other", a_manifest("1.0"))
    (app / "local.settings.json").write_text("secret")
    (app / "host.json").write_text("{}")

    packaging.from_folder("--app", str(app))

    assert {name.split("/")[0] for name in packaging.names()} == {"host.json", "Modules"}
    assert not [name for name in packaging.names() if "Other" in name]


def test_path_size_and_hash_of_the_zip_are_printed_on_stdout(packaging: Packaging) -> None:
    packaging.save()

    printed = packaging.from_folder().stdout

    written = packaging.zip.read_bytes()
    assert printed == f"{packaging.zip}  {len(written)} bytes  SHA-256 {sha256(written)}\n"


def test_the_build_folder_has_the_zip_and_the_same_unpacked_and_nothing_else(packaging: Packaging) -> None:
    packaging.save()
    packaging.from_folder()

    unpacked = packaging.output / "exchange-worker"
    assert sorted(packaging.left()) == ["exchange-worker", "exchange-worker.zip"]
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert found == set(packaging.names())


def test_the_same_input_gives_the_same_bytes(packaging: Packaging, tmp_path: Path) -> None:
    """File times and permissions change nothing."""
    packaging.save()
    app = Path(shutil.copytree(APP, tmp_path / "app"))
    packaging.from_folder("--app", str(app))
    first = packaging.zip.read_bytes()
    os.utime(app / "host.json", (1_000_000_000, 1_000_000_000))
    (app / "host.json").chmod(0o700)

    packaging.from_folder("--app", str(app))

    assert packaging.zip.read_bytes() == first
    assert packaging.names() == sorted(packaging.names())


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_hands_its_variables_on(packaging: Packaging) -> None:
    packaging.save()
    variables = [f"MODULES_FROM={packaging.modules}", f"ARGS={' '.join(packaging.options)}", f"PYTHON={sys.executable}"]

    subprocess.run(["make", "exchange-worker", *variables], check=True, cwd=ROOT, env={"PATH": os.environ["PATH"]})

    assert packaging.zip.exists()


# ---- called wrongly --------------------------------------------------------------------------------------------------


def test_without_a_source_one_line_names_both_ways(packaging: Packaging) -> None:
    ended = packaging.run(MODULES_FROM="")

    line = refused(ended)
    assert len(ended.stderr.splitlines()) == 1
    assert re.search("MODULES_FROM=FOLDER.*not reachable from everywhere.*GALLERY_URL=ADDRESS", line)


def test_two_sources_are_refused(packaging: Packaging) -> None:
    assert "unset one" in refused(packaging.run(MODULES_FROM="modules", GALLERY_URL="https://gallery.example"))


def test_the_hash_of_a_folder_is_not_recorded(packaging: Packaging) -> None:
    packaging.save()

    assert "is for a download" in refused(packaging.from_folder("--record-hash"))


def test_an_app_without_host_json_is_refused(packaging: Packaging, tmp_path: Path) -> None:
    assert "host.json" in refused(packaging.from_folder("--app", str(tmp_path)))


def test_a_lock_file_that_is_none_is_refused(packaging: Packaging) -> None:
    packaging.lock.write_text('{"ExchangeOnlineManagement": "3.10.1"}')

    assert "modules.lock.json cannot be read" in refused(packaging.from_folder())


# ---- modules from a folder -------------------------------------------------------------------------------------------


def test_a_folder_without_versions_is_taken(packaging: Packaging) -> None:
    for name, pin in PINS.items():
        a_module(packaging.modules / name, name, a_manifest(pin))

    assert packaging.from_folder().returncode == 0


def test_the_pinned_version_is_taken_of_several(packaging: Packaging) -> None:
    """Save-Module saves the newest of what a module requires, beside what is there."""
    packaging.save()
    a_module(packaging.modules / EXCHANGE / "9.9.9", EXCHANGE, a_manifest("9.9.9"))

    packaging.from_folder()

    with zipfile.ZipFile(packaging.zip) as archive:
        assert b"'3.10.1'" in archive.read(f"Modules/{EXCHANGE}/{EXCHANGE}.psd1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_manifest_is_read_as_powershell_writes_it(packaging: Packaging, encoding: str) -> None:
    packaging.save({EXCHANGE: a_manifest("3.10.1").encode(encoding)})

    assert packaging.from_folder().returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        "# ModuleVersion = '9'",
        "<# ModuleVersion = '9'\n #>",
        "ReleaseNotes = @'\n it's\n ModuleVersion = '9'\n'@",
        "ReleaseNotes = 'it''s } # '",
        "Description = \u2018its } # \u2019",
        "Copyright = \u201c } # \u201d",
        'Description = "a `" Prerelease = \'x\'"',
        "Tags = @('Prerelease', 'x')",
        "PrivateData = @{ PSData = @{ Prerelease = '' } }",
        "PrivateData = @{ PSData = @{ # Prerelease = 'x'\n } }",
    ],
)
def test_what_only_looks_like_a_version_is_none(packaging: Packaging, line: str) -> None:
    packaging.save({EXCHANGE: a_manifest("3.10.1", line)})

    assert packaging.from_folder().returncode == 0


@pytest.mark.parametrize("version", ["3.10.0", "3.10.1.0", "3.10.11", "03.10.1", ""])
def test_another_version_is_refused(packaging: Packaging, version: str) -> None:
    packaging.save({EXCHANGE: a_manifest(version)})

    assert "3.10.1 is required" in refused(packaging.from_folder())
    assert packaging.left() == []


@pytest.mark.parametrize(
    "manifest",
    ["", "@{}", "@{ 'a' = @{ ModuleVersion = '3.10.1' } }", "@{ ModuleVersion='3.10.1'\nModuleVersion='9' }"],
)
def test_a_manifest_without_one_version_is_refused(packaging: Packaging, manifest: str) -> None:
    packaging.save({EXCHANGE: manifest})

    assert "no ModuleVersion" in refused(packaging.from_folder())


def test_a_prerelease_is_another_version(packaging: Packaging) -> None:
    packaging.save({EXCHANGE: a_manifest("3.10.1", "PrivateData = @{PSData = @{'Prerelease' = \"preview1\"}}")})

    assert "declares 3.10.1-preview1" in refused(packaging.from_folder())


def test_the_stand_in_of_the_sandbox_is_refused(packaging: Packaging) -> None:
    assert "declares 3.10.1-standin" in refused(packaging.run(MODULES_FROM=str(FOLDER)))


def test_a_missing_module_is_named_with_the_command_that_saves_it(packaging: Packaging) -> None:
    packaging.save()
    shutil.rmtree(packaging.modules / "PowerShellGet")

    assert "Save-Module -Name PowerShellGet -RequiredVersion 2.2.5" in refused(packaging.from_folder())
    assert packaging.left() == []


def test_a_module_in_another_version_only_is_reported(packaging: Packaging) -> None:
    packaging.save()
    (packaging.modules / EXCHANGE / "3.10.1").rename(packaging.modules / EXCHANGE / "3.9.0")

    assert "but 3.9.0" in refused(packaging.from_folder())


def test_a_refusal_leaves_the_zip_of_before_as_it_was(packaging: Packaging) -> None:
    packaging.save()
    packaging.from_folder()
    before = packaging.zip.read_bytes()
    shutil.rmtree(packaging.modules / "PowerShellGet")

    packaging.from_folder()

    assert packaging.zip.read_bytes() == before
    assert sorted(packaging.left()) == ["exchange-worker", "exchange-worker.zip"]


def test_what_save_module_notes_about_itself_stays_out(packaging: Packaging) -> None:
    """It has the time and the folder of the saving."""
    packaging.save()
    (packaging.modules / EXCHANGE / "3.10.1" / "PSGetModuleInfo.xml").write_text("<x/>")

    packaging.from_folder()

    assert not [name for name in packaging.names() if "PSGet" in name and not name.startswith("Modules/PowerShellGet/")]


# ---- the worker from the zip -----------------------------------------------------------------------------------------


@pytest.fixture
def packed(_pwsh: None, packaging: Packaging, served: tuple[Tenant, str]) -> Iterator[Function]:
    """ExchangeCommands as unpacked from the zip.

    Its ExchangeOnlineManagement is the stand-in without its label.
    """
    label = "    PrivateData       = @{ PSData = @{ Prerelease = 'standin' } }\n"
    manifest = (FOLDER / EXCHANGE / f"{EXCHANGE}.psd1").read_text(encoding="utf-8")
    packaging.save({EXCHANGE: manifest.replace(label, "")})
    shutil.copy(FOLDER / EXCHANGE / f"{EXCHANGE}.psm1", packaging.modules / EXCHANGE / PINS[EXCHANGE])
    packaging.from_folder()
    app = packaging.folder / "app"
    shutil.unpack_archive(packaging.zip, app)
    with Function("ExchangeCommands", environment=settings(served[1]), app=app, modules=app / "Modules") as function:
        yield function


def test_the_packed_worker_refuses_a_command_that_is_not_right(packed: Function, alex: Account) -> None:
    result = ask(packed, a_command(object_id=alex.object_id, schema_version=99))

    assert (result.command_id, result.outcome) == ("command-1", "refused")


def test_the_packed_worker_finds_its_module_and_carries_a_command_out(packed: Function, alex: Account) -> None:
    result = ask(packed, a_command(object_id=alex.object_id))

    assert (result.outcome, alex.audit_bypass_enabled) == ("verified", False)
    assert str(result.worker).startswith("ExchangeOnlineManagement 3.10.1")

"""`make exchange-worker`: what goes into the zip, and which modules are refused. The real script, on loopback."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.exchange_online import Function
from sandbox.exchange_online.powershell import APP, FOLDER
from sandbox.tenant.account import Account
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import a_command, ask, settings

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra" / "package_exchange_worker.py"
EXCHANGE = "ExchangeOnlineManagement"
PINS = {EXCHANGE: "3.10.1", "PackageManagement": "1.4.8.1", "PowerShellGet": "2.2.5"}
REQUIRED = "RequiredModules = @(@{ModuleName = 'PackageManagement'; ModuleVersion = '1.4.4'})"


def a_manifest(version: str, *lines: str) -> str:
    return "\r\n".join(["@{", "RootModule = 'a.psm1'", f"ModuleVersion = '{version}'", REQUIRED, *lines, "}", ""])


def a_module(folder: Path, name: str, manifest: str | bytes) -> None:
    folder.mkdir(parents=True)
    (folder / f"{name}.psd1").write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    (folder / "netCore").mkdir()
    (folder / "netCore" / "a.dll").write_bytes(name.encode() * 1000)


def a_package(name: str, manifest: str, **more: bytes) -> bytes:
    """A .nupkg with the same module as ``a_module`` makes, and the parts that NuGet adds."""
    parts = {f"{name}.psd1": manifest.encode(), "netCore/a.dll": name.encode() * 1000} | more
    parts |= dict.fromkeys(["_rels/.rels", "package/a.psmdcp", "[Content_Types].xml", f"{name}.nuspec"], b"<x/>")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in parts.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Answer:
    """What the gallery says at one address."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Gallery:
    """Serves packages on loopback, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers = {
            f"/package/{name}/{pin}": Answer(a_package(name, a_manifest(pin))) for name, pin in PINS.items()
        }
        self.asked: list[str] = []
        gallery = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gallery.asked.append(self.path)
                answer = gallery.answers.get(self.path, Answer(status=404))
                self.send_response(answer.status)
                for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def path(self, name: str = EXCHANGE) -> str:
        return f"/package/{name}/{PINS[name]}"

    def put(self, body: bytes, **how: Any) -> None:
        """Answer so for ExchangeOnlineManagement."""
        self.answers[self.path()] = Answer(body, **how)

    def hashes(self) -> dict[str, str | None]:
        return {name: sha256(self.answers[self.path(name)].body) for name in PINS}


@dataclass
class Packaging:
    """The script, with a lock file and an output folder of its own."""

    folder: Path

    def __post_init__(self) -> None:
        self.lock, self.output = self.folder / "modules.lock.json", self.folder / "build"
        self.zip, self.modules = self.output / "exchange-worker.zip", self.folder / "modules"
        self.record(dict.fromkeys(PINS))

    @property
    def options(self) -> list[str]:
        return ["--lock", str(self.lock), "--output", str(self.output)]

    def run(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """On a Python without any package."""
        command = [sys.executable, "-I", "-S", str(SCRIPT), *self.options, *options]
        environment = {"PATH": os.environ["PATH"]} | variables
        return subprocess.run(command, capture_output=True, check=False, env=environment, text=True)

    def from_folder(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(*options, MODULES_FROM=str(self.modules))

    def save(self, manifests: dict[str, str | bytes] | None = None) -> None:
        """As Save-Module would; ``manifests`` in place of the right ones."""
        right: dict[str, str | bytes] = {name: a_manifest(pin) for name, pin in PINS.items()}
        for name, manifest in (right | (manifests or {})).items():
            a_module(self.modules / name / PINS[name], name, manifest)

    def record(self, hashes: dict[str, str | None]) -> None:
        self.lock.write_text(json.dumps({name: {"version": PINS[name], "sha256": hashes[name]} for name in PINS}))

    def recorded(self) -> dict[str, str | None]:
        return {name: each["sha256"] for name, each in json.loads(self.lock.read_text()).items()}

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.zip) as archive:
            return archive.namelist()

    def left(self) -> list[str]:
        return [path.name for path in self.output.iterdir()] if self.output.exists() else []


@pytest.fixture
def packaging(tmp_path: Path) -> Packaging:
    return Packaging(tmp_path)


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    served = Gallery()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def refused(ended: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a refusal; what was told before is progress."""
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


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


def test_path_size_and_hash_of_the_zip_are_told_on_stdout(packaging: Packaging) -> None:
    packaging.save()

    told = packaging.from_folder().stdout

    written = packaging.zip.read_bytes()
    assert told == f"{packaging.zip}  {len(written)} bytes  SHA-256 {sha256(written)}\n"


def test_the_build_folder_has_the_zip_and_the_modules_and_nothing_else(packaging: Packaging) -> None:
    packaging.save()
    packaging.from_folder()

    assert sorted(packaging.left()) == ["exchange-worker", "exchange-worker.zip"]
    assert {path.name for path in (packaging.output / "exchange-worker" / "Modules").iterdir()} == set(PINS)


def test_the_same_input_gives_the_same_bytes(packaging: Packaging, tmp_path: Path) -> None:
    """Whenever it was written, and whoever may read it."""
    packaging.save()
    app = Path(shutil.copytree(APP, tmp_path / "app"))
    packaging.from_folder("--app", str(app))
    first = packaging.zip.read_bytes()
    os.utime(app / "host.json", (1_000_000_000, 1_000_000_000))
    (app / "host.json").chmod(0o700)

    packaging.from_folder("--app", str(app))

    assert packaging.zip.read_bytes() == first
    assert packaging.names() == sorted(packaging.names())


def test_both_sources_give_the_same_bytes(packaging: Packaging, gallery: Gallery) -> None:
    packaging.save()
    packaging.from_folder()
    first = packaging.zip.read_bytes()
    packaging.record(gallery.hashes())

    packaging.run(GALLERY_URL=gallery.url)

    assert packaging.zip.read_bytes() == first


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

    assert "3.10.1 is wanted" in refused(packaging.from_folder())
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

    assert "says 3.10.1-preview1" in refused(packaging.from_folder())


def test_the_stand_in_of_the_sandbox_is_refused(packaging: Packaging) -> None:
    assert "says 3.10.1-standin" in refused(packaging.run(MODULES_FROM=str(FOLDER)))


def test_a_missing_module_is_named_with_the_command_that_saves_it(packaging: Packaging) -> None:
    packaging.save()
    shutil.rmtree(packaging.modules / "PowerShellGet")

    assert "Save-Module -Name PowerShellGet -RequiredVersion 2.2.5" in refused(packaging.from_folder())
    assert packaging.left() == []


def test_a_module_in_another_version_only_is_told(packaging: Packaging) -> None:
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


# ---- modules from a gallery ------------------------------------------------------------------------------------------


def test_packages_with_the_recorded_hash_are_taken(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes())

    ended = packaging.run(GALLERY_URL=f"{gallery.url}/")

    assert ended.returncode == 0, ended.stderr
    assert gallery.asked == [gallery.path(name) for name in PINS]
    assert "ExchangeOnlineManagement 3.10.1 is downloaded" in ended.stderr


def test_a_redirect_is_followed(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes())
    gallery.answers["/cdn"] = gallery.answers[gallery.path()]
    gallery.put(b"", status=302, headers={"Location": f"{gallery.url}/cdn"})

    assert packaging.run(GALLERY_URL=gallery.url).returncode == 0


@pytest.mark.parametrize("address", ["http://mirror.example/a", "https://name:word@mirror.example/a"])
def test_a_redirect_to_an_address_that_would_be_refused_is_refused(
    packaging: Packaging, gallery: Gallery, address: str
) -> None:
    packaging.record(gallery.hashes())
    gallery.put(b"", status=302, headers={"Location": address})

    assert "only https" in refused(packaging.run(GALLERY_URL=gallery.url))


@pytest.mark.parametrize(
    "address",
    [
        "http://mirror.example/api",
        "http://127.0.0.1.mirror.example",
        "http://127.0.0.1@mirror.example",
        "https://name:word@mirror.example",
        "file:///tmp",
        "mirror.example",
        "https://[",
    ],
)
def test_an_address_that_is_not_https_without_credentials_is_refused(packaging: Packaging, address: str) -> None:
    line = refused(packaging.run("--record-hash", GALLERY_URL=address))

    assert "only https" in line
    assert "word" not in line


def test_without_a_hash_nothing_is_downloaded(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes() | {"PowerShellGet": None})

    line = refused(packaging.run(GALLERY_URL=gallery.url))

    assert "no hash of PowerShellGet 2.2.5: ARGS=--record-hash" in line
    assert "trust on first use" in line
    assert gallery.asked == []


def test_another_hash_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes() | {EXCHANGE: "0" * 64})

    assert "is not the recorded package" in refused(packaging.run(GALLERY_URL=gallery.url))
    assert packaging.left() == []


def test_a_hash_in_capitals_is_the_same(packaging: Packaging, gallery: Gallery) -> None:
    """Get-FileHash writes them so."""
    capitals: dict[str, str | None] = {name: str(each).upper() for name, each in gallery.hashes().items()}
    packaging.record(capitals)

    assert packaging.run(GALLERY_URL=gallery.url).returncode == 0
    assert packaging.recorded() == capitals


def test_a_hash_is_recorded_when_asked(packaging: Packaging, gallery: Gallery) -> None:
    ended = packaging.run("--record-hash", GALLERY_URL=gallery.url)

    assert packaging.recorded() == gallery.hashes()
    assert f"compare it with a second source: {EXCHANGE} SHA-256 {gallery.hashes()[EXCHANGE]}" in ended.stderr


def test_the_lock_file_keeps_its_form_when_a_hash_is_recorded(packaging: Packaging, gallery: Gallery) -> None:
    shutil.copy(APP / "modules.lock.json", packaging.lock)
    before = packaging.lock.read_text()
    packaging.run("--record-hash", GALLERY_URL=gallery.url)

    assert re.sub(r'"[0-9a-f]{64}"', "null", packaging.lock.read_text()) == re.sub(r'"[0-9a-f]{64}"', "null", before)


def test_a_recorded_hash_is_never_replaced(packaging: Packaging, gallery: Gallery) -> None:
    packaging.run("--record-hash", GALLERY_URL=gallery.url)
    before = packaging.lock.read_bytes()
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1", "# changed")))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "is not the recorded package" in line
    assert packaging.lock.read_bytes() == before


def test_a_package_with_another_version_in_it_is_refused_and_not_recorded(
    packaging: Packaging, gallery: Gallery
) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.2")))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "says 3.10.2" in line
    assert set(packaging.recorded().values()) == {None}


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "..\\evil", "%2e%2e/evil", "..%5Cevil", "C:evil", "a//evil", "./evil"]
)
def test_a_package_that_writes_elsewhere_is_refused(packaging: Packaging, gallery: Gallery, name: str) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1"), **{name: b"evil"}))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "leads out of it" in line
    assert list(packaging.folder.rglob("*evil*")) == []
    assert packaging.left() == []


def test_a_name_is_unescaped_as_nuget_escaped_it(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1"), **{"a%20b.txt": b"x"}))
    packaging.record(gallery.hashes())

    packaging.run(GALLERY_URL=gallery.url)

    assert f"Modules/{EXCHANGE}/a b.txt" in packaging.names()


def test_a_package_that_unpacks_to_too_much_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    size = struct.pack("<I", 54321)
    body = a_package(EXCHANGE, a_manifest("3.10.1"), big=b"0" * 54321)
    gallery.put(body.replace(size, struct.pack("<I", 2_000_000_000)))

    assert "unpacks to more than" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))


def test_a_package_that_is_too_large_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(b"PK", headers={"Content-Length": "2000000000"})

    assert "is larger than" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b"PK\x03\x04"])
def test_what_is_no_zip_is_refused_and_not_recorded(packaging: Packaging, gallery: Gallery, body: bytes) -> None:
    gallery.put(body)

    assert "is no package" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))
    assert set(packaging.recorded().values()) == {None}


def test_a_package_that_is_not_there_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    line = refused(packaging.run("--record-hash", GALLERY_URL=f"{gallery.url}/wrong"))

    assert "the gallery has no ExchangeOnlineManagement 3.10.1 (HTTP 404)" in line


@pytest.mark.parametrize("status", [403, 503])
def test_a_gallery_that_does_not_give_it_is_not_reached(packaging: Packaging, gallery: Gallery, status: int) -> None:
    gallery.put(b"", status=status)

    assert f"HTTP {status}" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url), code=3)


def test_a_download_that_breaks_off_is_not_reached_and_not_recorded(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1")), headers={"Content-Length": "100000"})

    assert "broke off" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url), code=3)
    assert set(packaging.recorded().values()) == {None}


def test_where_nobody_listens_nothing_is_reached(packaging: Packaging) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ended = packaging.run("--record-hash", GALLERY_URL=f"http://127.0.0.1:{bound.getsockname()[1]}")

    assert "MODULES_FROM" in refused(ended, code=3)
    assert packaging.left() == []


# ---- the worker from the zip -----------------------------------------------------------------------------------------


@pytest.fixture
def packed(_pwsh: None, packaging: Packaging, served: tuple[Tenant, str]) -> Iterator[Function]:
    """ExchangeCommands as unpacked from the zip, whose ExchangeOnlineManagement is the stand-in without its label."""
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

"""The packaging script with its own lock file and output folder, modules to package, and a gallery."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
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
    """The script, with a separate lock file and output folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.lock, self.output = self.folder / "modules.lock.json", self.folder / "build"
        self.zip, self.modules = self.output / "exchange-worker.zip", self.folder / "modules"
        self.record(dict.fromkeys(PINS))

    @property
    def options(self) -> list[str]:
        return ["--lock", str(self.lock), "--output", str(self.output)]

    def run(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """On a Python without any package, from the checkout, which -I would forbid."""
        command = [sys.executable, "-E", "-s", "-S", "-m", "infra.package_exchange_worker", *self.options, *options]
        environment = {"PATH": os.environ["PATH"]} | variables
        return subprocess.run(command, capture_output=True, check=False, cwd=ROOT, env=environment, text=True)

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


def refused(ended: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a refusal; the lines before are progress."""
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]

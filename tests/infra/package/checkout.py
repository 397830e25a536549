"""A small checkout with the real packager, and wheels in a folder instead of a package index."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ("app_package.py", "bytecode.py", "package_responder.py", "python_wheels.py")
OWN = {
    "function_app.py": "app = None\n",
    "host.json": "{}",
    "LICENSE": "free",
    "requirements.txt": 'first==1.0\nfirst==2.0; python_version < "3.0"\n',
    "src/bypass_responder/__init__.py": "",
    "src/bypass_responder/bootstrap/__init__.py": "",
    "src/bypass_responder/py.typed": "",
    "src/bypass_responder/cli/app.py": "",
}


def a_wheel(folder: Path, name: str, version: str = "1.0", **more: str) -> str:
    """A wheel of pure Python with one module and its tests; its SHA-256. Further files by name."""
    about = f"{name}-{version}.dist-info"
    content = {
        f"{name}/__init__.py": "",
        f"{name}/tests/test_it.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
        f"{about}/LICENSE": "free",
    } | more
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in (content | {f"{about}/RECORD": "".join(f"{each},,\n" for each in content)}).items():
            archive.writestr(zipfile.ZipInfo(entry), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Checkout:
    """A separate checkout, its build folder, and what pip is given."""

    folder: Path

    def __post_init__(self) -> None:
        self.root, self.wheels, self.output = (self.folder / name for name in ("root", "wheels", "build"))
        self.lock, self.zip = self.root / "infra" / "requirements.lock", self.output / "responder.zip"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_NO_INDEX": "1",
            "PIP_NO_CACHE_DIR": "1",
        }
        for name, text in OWN.items():
            self.write(name, text)
        self.lock.parent.mkdir()
        self.wheels.mkdir()
        for script in SCRIPTS:
            shutil.copy(ROOT / "infra" / script, self.lock.parent)
        self.write_lock(first=a_wheel(self.wheels, "first"), second=a_wheel(self.wheels, "second"))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def write_lock(self, **hashes: str) -> None:
        pinned = [f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in hashes.items()]
        self.lock.write_text("".join(pinned), encoding="utf-8")

    def package(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.package_responder", "--output", str(self.output), *options]
        environment = self.environment | variables
        return subprocess.run(command, capture_output=True, check=False, cwd=self.root, env=environment, text=True)

    def names(self) -> set[str]:
        """Of what is packaged; bytecode is there only with a Python of the app's version on this machine."""
        return {name for name in self.packed() if not name.endswith(".pyc")}

    def unpacked(self) -> dict[str, bytes]:
        folder = self.output / "responder"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def packed(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.zip) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def bytecode(self) -> dict[str, bytes]:
        return {name: content for name, content in self.packed().items() if name.endswith(".pyc")}

    def left(self) -> list[str]:
        return sorted(path.name for path in self.output.iterdir()) if self.output.exists() else []

"""Packages the Exchange worker for Azure Functions: one zip with the app and its PowerShell modules.

Flex Consumption installs no modules, so they are in the zip. modules.lock.json says which: name, exact version, and the
SHA-256 of the package. They come from a folder (MODULES_FROM) or from a gallery (GALLERY_URL). Run by
`make exchange-worker` on the system's Python, so it knows the standard library only.

Exit codes: 0 written; 2 called wrongly, or a module is not the one that is wanted; 3 the gallery could not be reached.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from infra import app_package, powershell_modules
from infra.app_package import RefusedError
from infra.powershell_modules import Module, log

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "src" / "exchange_worker"
LOCK_NAME = "modules.lock.json"
OWN = re.compile(r"(?!modules/)(?:[^./]+/)*(?!local\.settings)[^./][^/]*\.(?:ps1|psd1|psm1|json)", re.IGNORECASE)
"""What belongs to the app: no settings of a laptop, nothing in a folder whose name has a dot, no Modules."""
NO_SOURCE = (
    "no source for the modules: set MODULES_FROM=FOLDER, as Save-Module or Save-PSResource writes it on a machine "
    "that reaches the PowerShell Gallery (it is not reachable from everywhere), or GALLERY_URL=ADDRESS to download "
    "them from there or from a mirror; (Get-PSRepository PSGallery).SourceLocation prints the address"
)


def entries(app: Path, modules: Path) -> dict[str, Path]:
    """Return each file by its name in the zip. Only modules of the lock file are included."""
    own = [name for name in app_package.files(app) if name != LOCK_NAME and OWN.fullmatch(name)]
    return {name: app / name for name in own} | {
        f"Modules/{name}": modules / name for name in app_package.files(modules)
    }


def read_lock(path: Path) -> dict[str, Module]:
    """The modules by name."""
    try:
        return {name: Module(**fields) for name, fields in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise RefusedError(f"{path} cannot be read ({error}); take it from the repository again") from error


def write_lock(path: Path, modules: dict[str, Module]) -> None:
    """Replace the file as a whole."""
    part = path.with_name(f"{path.name}.part")
    text = json.dumps({name: asdict(each) for name, each in modules.items()}, indent=2)
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(path)


def require_hashes(lock: Path, modules: dict[str, Module]) -> None:
    """Refuse to download what nothing can be compared with."""
    if unknown := [f"{name} {each.version}" for name, each in modules.items() if each.sha256 is None]:
        raise RefusedError(
            f"{lock.name} has no hash of {', '.join(unknown)}: ARGS=--record-hash writes down the hash of what the "
            "gallery gives now. That is trust on first use: it proves only that later downloads are the same, so "
            "compare it with a second source"
        )


def fetch(name: str, module: Module, gallery: str, work: Path) -> Module:
    """Download and unpack into ``work``; the module with its hash, the recorded one if there is one."""
    what = f"{name} {module.version}"
    log(f"{what} is downloaded")
    package, digest = work / f"{name}.{module.version}.nupkg", hashlib.sha256()
    with package.open("wb") as out:
        for part in powershell_modules.download(f"{gallery}/package/{name}/{module.version}", what):
            digest.update(part)
            out.write(part)
    if module.sha256 and module.sha256.lower() != digest.hexdigest():
        raise RefusedError(
            f"{what} is not the recorded package: its SHA-256 is {digest.hexdigest()}, recorded is {module.sha256}. "
            "Do not use it before you know why: compare with a second source"
        )
    powershell_modules.unpack(package, work / "Modules" / name)
    return replace(module, sha256=module.sha256 or digest.hexdigest())


def collect_modules(given: argparse.Namespace, source: str, gallery: str, work: Path) -> None:
    """Put every module of the lock file into Modules in ``work``, and record new hashes."""
    modules = read_lock(given.lock)
    if gallery:
        powershell_modules.check_address(gallery)
    if gallery and not given.record_hash:
        require_hashes(given.lock, modules)
    filled = dict(modules)
    for name, module in modules.items():
        target = work / "Modules" / name
        if gallery:
            filled[name] = fetch(name, module, gallery, work)
        else:
            powershell_modules.copy(powershell_modules.saved_folder(name, module.version, Path(source)), target)
        powershell_modules.require_version(name, module.version, target)
    if filled != modules:
        write_lock(given.lock, filled)
    for name in (name for name in modules if filled[name] != modules[name]):
        log(f"recorded on first use, compare it with a second source: {name} SHA-256 {filled[name].sha256}")


def build(given: argparse.Namespace) -> Path:
    """Fill Modules and write the zip, both under other names first; the zip."""
    source, gallery = (os.environ.get(name, "").strip() for name in ("MODULES_FROM", "GALLERY_URL"))
    if not source and not gallery:
        raise RefusedError(NO_SOURCE)
    if source and gallery:
        raise RefusedError("MODULES_FROM and GALLERY_URL are both given; unset one of them")
    if source and given.record_hash:
        raise RefusedError("--record-hash is for a download: give GALLERY_URL and not MODULES_FROM")
    if not (given.app / "host.json").is_file():
        raise RefusedError(f"{given.app} is no function app: it has no host.json")
    output: Path = given.output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix="exchange-worker-") as temporary:
        work = Path(temporary)
        collect_modules(given, source, gallery.rstrip("/"), work)
        log("the zip is written")
        app_package.copy_to(work / "app", entries(given.app, work / "Modules"))
        return app_package.publish(work / "app", work, output / "exchange-worker.zip")


def main() -> int:
    """Read the command line; package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record-hash", action="store_true", help="write down hashes that are null in the lock file")
    parser.add_argument("--app", type=Path, default=APP, help="folder of the function app")
    parser.add_argument("--lock", type=Path, default=APP / LOCK_NAME, help="the lock file")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="folder that gets exchange-worker.zip")
    given = parser.parse_args()
    return app_package.report(log, lambda: build(given))


if __name__ == "__main__":
    sys.exit(main())

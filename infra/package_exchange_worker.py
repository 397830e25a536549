"""Packages the Exchange worker for Azure Functions: one zip with the app and the PowerShell modules that it needs.

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
import shutil
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "src" / "exchange_worker"
LOCK_NAME = "modules.lock.json"
OLDEST = (3, 11)
LARGEST_BYTES = 300_000_000
"""A package, and what is unpacked from one: several times what the largest of the three has."""
PATIENCE_SECONDS = 60
PROGRESS_SECONDS = 2
CHUNK_BYTES = 1 << 16
LOOPBACK = ("127.0.0.1", "localhost")
OTHERWISE = "try again, or save the modules elsewhere and give MODULES_FROM"
NEITHER = (
    "say where the modules come from: MODULES_FROM=FOLDER, as Save-Module or Save-PSResource writes it on a machine "
    "that reaches the PowerShell Gallery (it is not reachable from everywhere), or GALLERY_URL=ADDRESS to download "
    "them from there or from a mirror; (Get-PSRepository PSGallery).SourceLocation prints the address"
)


class PackagingError(Exception):
    """Nothing was packaged; the message is one line and says what to do."""

    code = 2


class RefusedError(PackagingError):
    """Called wrongly, or a module is not the one that is wanted."""


class UnreachableError(PackagingError):
    """The gallery could not be reached, or broke off."""

    code = 3


@dataclass(frozen=True)
class Module:
    """A line of modules.lock.json; ``sha256`` is of the .nupkg, None when nobody has downloaded it yet."""

    version: str
    sha256: str | None


# ---- manifests -------------------------------------------------------------------------------------------------------

_S, _D = "'\u2018-\u201b", '"\u201c-\u201e'  # PowerShell takes typographic quotes for quotes
TOKEN = re.compile(
    rf"""(?P<comment> <\#.*?\#> | \#[^\n]* )
    | (?P<text> @[{_S}][^\S\n]*\n (?:.*?\n)? [{_S}]@ | @[{_D}][^\S\n]*\n (?:.*?\n)? [{_D}]@
              | [{_S}] (?:[^{_S}] | [{_S}]{{2}})* [{_S}] | [{_D}] (?:[^{_D}`] | `. | [{_D}]{{2}})* [{_D}] )
    | (?P<open> [\[({{] ) | (?P<close> [\])}}] ) | (?P<word> [\w.$-]+ ) | =""",
    re.VERBOSE | re.DOTALL,
)


def version_of(manifest: Path) -> str:
    """``ModuleVersion`` of a .psd1, with ``-label`` when it has a Prerelease label, which makes it another version."""
    raw = manifest.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = raw.decode(encoding, errors="replace").replace("\r\n", "\n")
    tokens = [token for token in TOKEN.finditer(text) if token.lastgroup != "comment"]
    plain = [token[0][1:-1] if token.lastgroup == "text" else token[0] for token in tokens]
    versions, labels, depth = [], [], 0
    for token, key, sign, value in zip(tokens, plain, plain[1:], plain[2:], strict=False):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if sign == "=" and key.lower() == "moduleversion" and depth == 1:  # deeper ones are of required modules
            versions.append(value)
        if sign == "=" and key.lower() == "prerelease" and value:
            labels.append(value)
    if len(versions) != 1:
        raise RefusedError(f"{manifest} has no ModuleVersion that can be read; save the module anew")
    return "-".join([*versions, *labels])


# ---- modules from a folder or a package ------------------------------------------------------------------------------


def is_packaging(name: str) -> bool:
    """Whether a file belongs to how a module travels (NuGet, Save-Module) and not to the module."""
    first = name.split("/", maxsplit=1)[0].lower()
    return first in {"_rels", "package", "[content_types].xml", "psgetmoduleinfo.xml"} or first.endswith(".nuspec")


def files(folder: Path) -> list[str]:
    """Every file below, by its name from there with slashes, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def place(content: IO[bytes], path: Path) -> None:
    """Write a file that is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        shutil.copyfileobj(content, out)


def saved(name: str, version: str, source: Path) -> Path:
    """The folder of a module below what Save-Module or Save-PSResource wrote."""
    home = source / name
    for folder in (home / version, home):
        if (folder / f"{name}.psd1").is_file():
            return folder
    others = sorted(path.parent.name for path in home.glob(f"*/{name}.psd1"))
    raise RefusedError(
        f"{source} has no {name} {version}{' but ' + ', '.join(others) if others else ''}: "
        f"Save-Module -Name {name} -RequiredVersion {version} -Path FOLDER"
    )


def copy(folder: Path, target: Path) -> None:
    """Take a saved module over."""
    for name in files(folder):
        if not is_packaging(name):
            with (folder / name).open("rb") as content:
                place(content, target / name)


def unpack(package: Path, target: Path) -> None:
    """Take the module out of a .nupkg; names that lead out of ``target`` refuse the whole package."""
    try:
        with zipfile.ZipFile(package) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if sum(info.file_size for info in infos) > LARGEST_BYTES:
                raise RefusedError(f"{package.name} unpacks to more than {LARGEST_BYTES} bytes; it was not used")
            for info in infos:
                name = unquote(info.filename).replace("\\", "/")  # NuGet escapes names as in addresses
                if re.search(r"[:\0]", name) or {"", ".", ".."} & set(name.split("/")):
                    raise RefusedError(f"{package.name} has a file that leads out of it, {name!r}; it was not used")
                if not is_packaging(name):
                    with archive.open(info) as content:
                        place(content, target / name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise RefusedError(f"{package.name} is no package that can be unpacked ({error}); check GALLERY_URL") from error


# ---- download --------------------------------------------------------------------------------------------------------


def check_address(address: str) -> None:
    """Refuse what is neither https nor on this machine, and addresses with credentials."""
    try:
        parts = urlsplit(address)
        safe = parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
    except ValueError:
        parts, safe = urlsplit(""), False
    if not safe or "@" in parts.netloc:
        raise RefusedError(
            "only https without credentials is asked (http on this machine), and this is "
            f"{parts.scheme or '?'}://{parts.hostname or '?'}: correct GALLERY_URL, or give MODULES_FROM"
        )


class CheckedRedirects(HTTPRedirectHandler):
    """Follows redirects to addresses that would be allowed in the first place."""

    def redirect_request(  # noqa: D102 - as the standard library has it
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def parts_of(address: str, what: str) -> Iterator[bytes]:
    """The body of an answer, piece by piece; tells on stderr how far it is."""
    told, size = time.monotonic(), 0
    try:
        with build_opener(CheckedRedirects).open(address, timeout=PATIENCE_SECONDS) as response:
            whole = int(response.headers.get("Content-Length") or 0)
            while part := response.read(CHUNK_BYTES):
                size += len(part)
                if max(size, whole) > LARGEST_BYTES:
                    raise RefusedError(f"{what} is larger than {LARGEST_BYTES} bytes; it was not used")
                if time.monotonic() - told > PROGRESS_SECONDS:
                    told = time.monotonic()
                    tell(f"{what}: {size / 1e6:.1f} of {f'{whole / 1e6:.1f}' if whole else '?'} MB")
                yield part
    except HTTPError as error:
        if error.code in {404, 410}:
            raise RefusedError(f"the gallery has no {what} (HTTP {error.code}); GALLERY_URL is its v2 API") from error
        raise UnreachableError(f"the gallery gives no {what} (HTTP {error.code}); {OTHERWISE}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise UnreachableError(f"the gallery could not be reached ({reason}); {OTHERWISE}") from error
    if whole and size != whole:
        raise UnreachableError(f"{what} broke off after {size} of {whole} bytes; {OTHERWISE}")


def fetch(name: str, module: Module, gallery: str, work: Path) -> Module:
    """Download and unpack into ``work``; the module with its hash, the recorded one if there is one."""
    what = f"{name} {module.version}"
    tell(f"{what} is downloaded")
    package, digest = work / f"{name}.{module.version}.nupkg", hashlib.sha256()
    with package.open("wb") as out:
        for part in parts_of(f"{gallery}/package/{name}/{module.version}", what):
            digest.update(part)
            out.write(part)
    if module.sha256 and module.sha256.lower() != digest.hexdigest():
        raise RefusedError(
            f"{what} is not the recorded package: its SHA-256 is {digest.hexdigest()}, recorded is {module.sha256}. "
            "Do not use it before you know why: compare with a second source"
        )
    unpack(package, work / "Modules" / name)
    return replace(module, sha256=module.sha256 or digest.hexdigest())


# ---- the zip ---------------------------------------------------------------------------------------------------------


def entries(app: Path, modules: Path) -> dict[str, Path]:
    """Each file by its name in the zip. Modules are those of the lock file only, whatever lies in the app's folder."""
    own = [name for name in files(app) if name != LOCK_NAME and not name.lower().startswith("modules/")]
    found = {name: app / name for name in own if not re.fullmatch(r"local\.settings.*\.json", name)}
    return found | {f"Modules/{name}": modules / name for name in files(modules)}


def write_zip(found: dict[str, Path], to: Path) -> None:
    """Write the same bytes for the same files: names sorted, times and modes fixed."""
    with zipfile.ZipFile(to, "w") as archive:
        for name, path in sorted(found.items()):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            with path.open("rb") as content, archive.open(info, "w") as out:
                shutil.copyfileobj(content, out)


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


def check(name: str, version: str, folder: Path) -> None:
    """Refuse a module that does not say of itself that it is the wanted version."""
    manifest = folder / f"{name}.psd1"
    found = version_of(manifest) if manifest.is_file() else "nothing"
    if found != version:
        raise RefusedError(f"{name} {version} is wanted, and its {manifest.name} says {found}; nothing was packaged")


def require_hashes(lock: Path, modules: dict[str, Module]) -> None:
    """Refuse to download what nothing can be compared with."""
    if unknown := [f"{name} {each.version}" for name, each in modules.items() if each.sha256 is None]:
        raise RefusedError(
            f"{lock.name} has no hash of {', '.join(unknown)}: ARGS=--record-hash writes down the hash of what the "
            "gallery gives now. That is trust on first use: it proves only that later downloads are the same, so "
            "compare it with a second source"
        )


def fill(given: argparse.Namespace, source: str, gallery: str, work: Path) -> None:
    """Put every module of the lock file into Modules in ``work``, and record the hashes that were not known."""
    modules = read_lock(given.lock)
    if gallery:
        check_address(gallery)
    if gallery and not given.record_hash:
        require_hashes(given.lock, modules)
    filled = dict(modules)
    for name, module in modules.items():
        target = work / "Modules" / name
        if gallery:
            filled[name] = fetch(name, module, gallery, work)
        else:
            copy(saved(name, module.version, Path(source)), target)
        check(name, module.version, target)
    if filled != modules:
        write_lock(given.lock, filled)
    for name in (name for name in modules if filled[name] != modules[name]):
        tell(f"recorded on first use, compare it with a second source: {name} SHA-256 {filled[name].sha256}")


def build(given: argparse.Namespace, source: str, gallery: str) -> Path:
    """Fill Modules and write the zip, both under other names first; the zip."""
    if not (given.app / "host.json").is_file():
        raise RefusedError(f"{given.app} is no function app: it has no host.json")
    output: Path = given.output
    stage, target = output / "exchange-worker" / "Modules", output / "exchange-worker.zip"
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix="exchange-worker-") as temporary:
        work = Path(temporary)
        fill(given, source, gallery, work)
        tell("the zip is written")
        write_zip(entries(given.app, work / "Modules"), work / target.name)
        stage.parent.mkdir(exist_ok=True)
        shutil.rmtree(stage, ignore_errors=True)
        (work / "Modules").replace(stage)
        (work / target.name).replace(target)
    return target


def tell(line: str) -> None:
    """Progress and refusals are for the person; stdout has the result."""
    sys.stderr.write(f"exchange-worker: {line}\n")


def main() -> int:
    """Read the command line and the two variables; package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record-hash", action="store_true", help="write down hashes that are null in the lock file")
    parser.add_argument("--app", type=Path, default=APP, help="folder of the function app")
    parser.add_argument("--lock", type=Path, default=APP / LOCK_NAME, help="the lock file")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="folder that gets exchange-worker.zip")
    given = parser.parse_args()
    if sys.version_info < OLDEST:
        tell(f"needs Python 3.11 or newer, this is {sys.version.split()[0]}; name another one: PYTHON=python3.13")
        return 2
    source, gallery = (os.environ.get(name, "").strip() for name in ("MODULES_FROM", "GALLERY_URL"))
    try:
        if not source and not gallery:
            raise RefusedError(NEITHER)
        if source and gallery:
            raise RefusedError("MODULES_FROM and GALLERY_URL are both given; unset one of them")
        if source and given.record_hash:
            raise RefusedError("--record-hash is for a download: give GALLERY_URL and not MODULES_FROM")
        written = build(given, source, gallery.rstrip("/"))
    except PackagingError as error:
        tell(str(error))
        return error.code
    except OSError as error:
        tell(f"{error}; nothing was packaged")
        return 2
    with written.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    sys.stdout.write(f"{written}  {written.stat().st_size} bytes  SHA-256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

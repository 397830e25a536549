"""The Exchange worker's PowerShell modules, from a folder or downloaded from a gallery and unpacked.

A part of package_exchange_worker.py, and like it on the standard library only.
"""

from __future__ import annotations

import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from infra.app_package import RefusedError, UnreachableError, files, logger

LARGEST_BYTES = 300_000_000
"""A package, and what is unpacked from one: several times what the largest of the three has."""
TIMEOUT_SECONDS = 60
PROGRESS_SECONDS = 2
CHUNK_BYTES = 1 << 16
LOOPBACK = ("127.0.0.1", "localhost")
TRY_INSTEAD = "try again, or save the modules elsewhere and give MODULES_FROM"


@dataclass(frozen=True)
class Module:
    """A line of modules.lock.json; ``sha256`` is of the .nupkg, None before the first download."""

    version: str
    sha256: str | None


log = logger("exchange-worker")


# ---- manifests -------------------------------------------------------------------------------------------------------

_SINGLE_QUOTES, _DOUBLE_QUOTES = "'\u2018-\u201b", '"\u201c-\u201e'  # PowerShell takes typographic quotes for quotes
TOKEN = re.compile(
    rf"""(?P<comment> <\#.*?\#> | \#[^\n]* )
    | (?P<text> @[{_SINGLE_QUOTES}][^\S\n]*\n (?:.*?\n)? [{_SINGLE_QUOTES}]@
              | @[{_DOUBLE_QUOTES}][^\S\n]*\n (?:.*?\n)? [{_DOUBLE_QUOTES}]@
              | [{_SINGLE_QUOTES}] (?:[^{_SINGLE_QUOTES}] | [{_SINGLE_QUOTES}]{{2}})* [{_SINGLE_QUOTES}]
              | [{_DOUBLE_QUOTES}] (?:[^{_DOUBLE_QUOTES}`] | `. | [{_DOUBLE_QUOTES}]{{2}})* [{_DOUBLE_QUOTES}] )
    | (?P<open> [\[({{] ) | (?P<close> [\])}}] ) | (?P<word> [\w.$-]+ ) | =""",
    re.VERBOSE | re.DOTALL,
)


def version_of(manifest: Path) -> str:
    """Return ``ModuleVersion`` of a .psd1, with ``-label`` when it has a Prerelease label.

    The label makes it another version.
    """
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
        raise RefusedError(f"{manifest} has no ModuleVersion that can be read; save the module again")
    return "-".join([*versions, *labels])


def require_version(name: str, version: str, folder: Path) -> None:
    """Raise RefusedError unless the module declares the required version."""
    manifest = folder / f"{name}.psd1"
    found = version_of(manifest) if manifest.is_file() else "nothing"
    if found != version:
        raise RefusedError(
            f"{name} {version} is required, but its {manifest.name} declares {found}; nothing was packaged"
        )


# ---- modules from a folder or a package ------------------------------------------------------------------------------


def is_packaging(name: str) -> bool:
    """Whether a file belongs to how a module travels (NuGet, Save-Module) and not to the module."""
    first = name.split("/", maxsplit=1)[0].lower()
    return first in {"_rels", "package", "[content_types].xml", "psgetmoduleinfo.xml"} or first.endswith(".nuspec")


def write_new(content: IO[bytes], path: Path) -> None:
    """Write a file that is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        shutil.copyfileobj(content, out)


def saved_folder(name: str, version: str, source: Path) -> Path:
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
                write_new(content, target / name)


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
                        write_new(content, target / name)
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


def download(address: str, what: str) -> Iterator[bytes]:
    """The body of an answer, piece by piece; reports progress on stderr."""
    reported_at, size = time.monotonic(), 0
    try:
        with build_opener(CheckedRedirects).open(address, timeout=TIMEOUT_SECONDS) as response:
            whole = int(response.headers.get("Content-Length") or 0)
            while part := response.read(CHUNK_BYTES):
                size += len(part)
                if max(size, whole) > LARGEST_BYTES:
                    raise RefusedError(f"{what} is larger than {LARGEST_BYTES} bytes; it was not used")
                if time.monotonic() - reported_at > PROGRESS_SECONDS:
                    reported_at = time.monotonic()
                    log(f"{what}: {size / 1e6:.1f} of {f'{whole / 1e6:.1f}' if whole else '?'} MB")
                yield part
    except HTTPError as error:
        if error.code in {404, 410}:
            raise RefusedError(f"the gallery has no {what} (HTTP {error.code}); GALLERY_URL is its v2 API") from error
        raise UnreachableError(f"the gallery gives no {what} (HTTP {error.code}); {TRY_INSTEAD}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise UnreachableError(f"the gallery could not be reached ({reason}); {TRY_INSTEAD}") from error
    if whole and size != whole:
        raise UnreachableError(f"{what} broke off after {size} of {whole} bytes; {TRY_INSTEAD}")

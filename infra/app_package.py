"""Functions that both packagers share: errors, the listing of a folder, the zip, and its replacement.

Run on the system's Python, so it knows the standard library only. What is wrong raises:

    PackagingError
    ├── RefusedError      called wrongly, or what would be packaged is not what is wanted
    └── UnreachableError  where it comes from could not be reached, or broke off
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

OLDEST = (3, 11)


class PackagingError(Exception):
    """Nothing was packaged. The message is one line with the fix."""

    code = 2


class RefusedError(PackagingError):
    """Called wrongly, or what would be packaged is not what is wanted."""


class UnreachableError(PackagingError):
    """Where it comes from could not be reached, or broke off."""

    code = 3


def files(folder: Path) -> list[str]:
    """Every file below, by its name from there with slashes, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def copy_to(folder: Path, found: dict[str, Path]) -> None:
    """Copy each file to its name below ``folder``; no times, modes or links are taken over."""
    for name, path in found.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def write_zip(folder: Path, to: Path) -> None:
    """Write the same bytes for the same files: names sorted, times and modes fixed."""
    with zipfile.ZipFile(to, "w") as archive:
        for name in files(folder):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            with (folder / name).open("rb") as content, archive.open(info, "w") as out:
                shutil.copyfileobj(content, out)


def publish(folder: Path, work: Path, target: Path) -> Path:
    """Write ``folder`` as the zip ``target``, with the unpacked files beside it.

    Both are made in ``work`` first.
    """
    write_zip(folder, work / target.name)
    unpacked = target.with_suffix("")
    shutil.rmtree(unpacked, ignore_errors=True)
    folder.replace(unpacked)
    (work / target.name).replace(target)
    return target


def logger(name: str) -> Callable[[str], None]:
    """Return a logger that prints progress and refusals on stderr, under the name of the package.

    Stdout has the result.
    """

    def log(line: str) -> None:
        sys.stderr.write(f"{name}: {line}\n")

    return log


def report(log: Callable[[str], None], build: Callable[[], Path]) -> int:
    """Build, print path, size and SHA-256 on stdout or the error on stderr, and return the exit code."""
    if sys.version_info < OLDEST:
        log(f"needs Python 3.11 or newer, this is {sys.version.split()[0]}; name another one: PYTHON=python3.13")
        return 2
    try:
        written = build()
    except PackagingError as error:
        log(str(error))
        return error.code
    except OSError as error:
        log(f"{error}; nothing was packaged")
        return 2
    with written.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    sys.stdout.write(f"{written}  {written.stat().st_size} bytes  SHA-256 {digest}\n")
    return 0

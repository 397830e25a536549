"""The wheels that the responder needs: requirements, the lock file, and pip for another platform.

A part of package_responder.py. pip is asked for Linux on x86-64 and the Python of the function app, whatever runs this.
It reads the markers of a requirement with the Python that it runs on, so it never sees them here: the lock file has
every package by name, version and SHA-256, without a marker, and nothing else is installed.
"""

from __future__ import annotations

import json
import operator
import re
import subprocess
import sys
from pathlib import Path

from infra.app_package import RefusedError, UnreachableError

PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17, 12, 5)), "manylinux2014_x86_64")
"""What the image of Flex Consumption runs (glibc 2.36); pip takes a wheel only with one of the names it is given."""
REQUIREMENT = re.compile(r'([\w.-]+)==([\w.!+-]+)\s*(?:;\s*python_version\s*(<|<=|==|>=|>)\s*"(\d+)\.(\d+)")?')
LOCKED = re.compile(r"([\w.-]+)==([\w.!+-]+) --hash=sha256:([0-9a-f]{64})")
COMPARE = {"<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge, ">": operator.gt}
WRONG_HASH = "DO NOT MATCH THE HASHES"
UNREACHED = re.compile(
    r"Failed to establish|ConnectionError|Connection (?:refused|reset|broken|aborted)|timed? ?out|ProxyError|"
    r"Max retries|name resolution|getaddrinfo|SSLError|HTTP error 5\d\d",
    re.IGNORECASE,
)
LOCK_HEADER = """\
# Every package that the zip holds, for Python {python} on Linux x86-64. Written from requirements.txt by
# {command}; not by hand.
"""


def canonical(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(path: Path, what_to_do: str) -> list[str]:
    """The lines that say something. Raises RefusedError when the file is not there."""
    if not path.is_file():
        raise RefusedError(f"{path} is not there; {what_to_do}")
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def wanted(requirements: Path, python: tuple[int, int]) -> dict[str, str]:
    """What requirements.txt asks for under a Python: version by name."""
    found = {}
    for line in lines(requirements, "take it from the repository again"):
        match = REQUIREMENT.fullmatch(line)
        if match is None:
            raise RefusedError(
                f"{requirements.name} has {line!r}; only NAME==VERSION and a python_version are understood"
            )
        name, version, sign, major, minor = match.groups()
        if sign is None or COMPARE[sign](python, (int(major), int(minor))):
            found[canonical(name)] = version
    return found


def locked(lock: Path) -> dict[str, str]:
    """Version by name of every package in the lock file."""
    found = {}
    for line in lines(lock, "write it: make lock"):
        match = LOCKED.fullmatch(line)
        if match is None:
            raise RefusedError(f"{lock.name} has {line!r}; write it again: make lock")
        found[canonical(match[1])] = match[2]
    return found


def require_agreement(requirements: Path, lock: Path, python: tuple[int, int]) -> None:
    """Refuse a lock file that lacks what requirements.txt asks for, or has it in another version."""
    have = locked(lock)
    for name, version in wanted(requirements, python).items():
        if have.get(name) != version:
            raise RefusedError(
                f"{requirements.name} wants {name} {version} and {lock.name} has {have.get(name, 'none')}; "
                "write it again: make lock"
            )


def pip(*arguments: str, python: tuple[int, int]) -> None:
    """Run ``pip install`` for the machine that the app runs on. Raises PackagingError with what pip says."""
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    version = ".".join(map(str, python))
    target = ["--python-version", version, "--implementation", "cp", "--only-binary", ":all:", *platforms]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "install", *quiet, *target, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if not ended.returncode:
        return
    output = ended.stderr
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1] if errors else (output.strip().splitlines() or ["no error message"])[-1]
    if WRONG_HASH in output:
        named = re.search(r"^ {4}(\S+==\S+|https?://\S+|file:\S+|[\w.-]+ from \S+).*:$", output, re.MULTILINE)
        what = named[1].rsplit("/", 1)[-1] if named else "a package"
        raise RefusedError(f"{what} is not the package that the lock file names; do not use it before you know why")
    if UNREACHED.search(output):
        raise UnreachableError("the package index could not be reached; try again, or set PIP_INDEX_URL to another")
    raise RefusedError(f"pip: {last}")


def install(lock: Path, target: Path, python: tuple[int, int]) -> None:
    """Put what the lock file names into ``target``, also for a newer Python than the one that runs pip."""
    hashed = ("--no-deps", "--require-hashes", "--ignore-requires-python")
    options = (*hashed, "--no-compile", "--target", str(target))
    pip(*options, "--requirement", str(lock), python=python)


def write_lock(requirements: Path, lock: Path, python: tuple[int, int], work: Path) -> None:
    """Resolve requirements.txt and write what pip found. Markers are read by the Python that runs this."""
    if sys.version_info[:2] != python:
        asked = ".".join(map(str, python))
        raise RefusedError(
            f"a lock file for Python {asked} is written by Python {asked}: make lock PYTHON=python{asked}"
        )
    report = work / "report.json"
    options = ("--dry-run", "--ignore-installed", "--report", str(report), "--target", str(work / "none"))
    pip(*options, "--requirement", str(requirements), python=python)
    found = {
        canonical(each["metadata"]["name"]): (
            each["metadata"]["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in json.loads(report.read_text(encoding="utf-8"))["install"]
    }
    header = LOCK_HEADER.format(python=".".join(map(str, python)), command="`make lock PYTHON=python3.13`")
    lines = [f"{name}=={version} --hash=sha256:{digest}\n" for name, (version, digest) in sorted(found.items())]
    part = lock.with_name(f"{lock.name}.part")
    part.write_text(header + "".join(lines), encoding="utf-8")
    part.replace(lock)

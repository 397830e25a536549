"""The responder's package, built once for all tests here, for the Python that runs them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.package.checkout import ROOT

RUNNING = sys.version_info[:2]
DEPLOYED = (3, 13)


@dataclass(frozen=True)
class Built:
    """The zip, and the same unpacked."""

    zip: Path
    folder: Path

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.zip) as archive:
            return archive.namelist()


def package(*options: str) -> None:
    command = [sys.executable, "-m", "infra.package_responder", "--python-version", "{}.{}".format(*RUNNING), *options]
    subprocess.run(command, check=True, cwd=ROOT)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """With the repository's lock file for the deployed Python, else with one that is written first."""
    folder = tmp_path_factory.mktemp("package")
    lock = ROOT / "infra" / "requirements.lock"
    if RUNNING != DEPLOYED:
        lock = folder / "requirements.lock"
        package("--write-lock", "--lock", str(lock))
    package("--lock", str(lock), "--output", str(folder))
    return Built(folder / "responder.zip", folder / "responder")

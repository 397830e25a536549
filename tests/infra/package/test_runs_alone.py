"""The deployed package runs under the library of the real Python worker and in the end-to-end demo."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.azurite import missing
from sandbox.demo.package import PackageError, unpack
from tests.infra.package.checkout import ROOT
from tests.infra.package.conftest import Built
from tests.programs import report

CASE = ROOT / "tests" / "sandbox" / "worker_library" / "case.py"
SITE = ".python_packages/lib/site-packages"
OF_THE_HOST = {
    "_distutils_hack",
    "click",
    "croniter",
    "dateutil",
    "pygments",
    "python_multipart",
    "rich",
    "starlette",
    "uvicorn",
}
"""What the sandbox's own host and its virtual environment need, and no app has to bring."""


# ---- under the library of the worker ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the worker sees in a Python that has only the package and the worker's library."""
    library = importlib.util.find_spec("azure_functions_runtime")
    if library is None or library.origin is None:
        pytest.skip("the worker's library needs Python 3.13: `make test-all PYTHON=python3.13`")
    worker = tmp_path_factory.mktemp("worker")
    site = Path(library.origin).parents[1]
    for name in ("azure_functions_runtime", "azurefunctions"):
        (worker / name).symlink_to(site / name)
    command = [sys.executable, "-I", "-S", str(CASE), str(built.folder), "--alone", str(worker)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=worker, env={})
    assert ended.returncode == 0, ended.stderr
    return report(ended.stdout, ended.stderr) | {"worker": str(worker)}


@pytest.mark.slow
def test_the_worker_indexes_what_the_app_declares(seen: dict[str, Any], index: dict[str, Any]) -> None:
    assert seen["bindings"] == index["bindings"]


@pytest.mark.slow
def test_health_answers_without_any_setting(seen: dict[str, Any]) -> None:
    outcome = seen["outcomes"]["health"]

    assert (outcome["succeeded"], outcome["body"]) == (True, "up"), outcome["error"]


@pytest.mark.parametrize(
    "timer",
    [
        *("poll_audit_feed", "hunt_audit_events", "resume_responses", "sweep_bypass_state", "gather_evidence"),
        "read_posture",
    ],
)
@pytest.mark.slow
def test_a_timer_without_settings_fails_with_the_setting_that_is_missing(seen: dict[str, Any], timer: str) -> None:
    outcome = seen["outcomes"][timer]

    assert not outcome["succeeded"]
    assert outcome["error"].startswith("SettingError(")


@pytest.mark.slow
def test_everything_that_was_imported_came_from_the_package_or_the_worker(seen: dict[str, Any], built: Built) -> None:
    """Every module of the app among it, so none lacks a package."""
    own = (str(built.folder), seen["worker"], str(CASE))
    loaded = seen["loaded"]

    assert [file for file in loaded if not file.startswith(own)] == []
    assert f"{built.folder}/{SITE}/msgraph/__init__.py" in loaded
    assert f"{built.folder}/src/bypass_responder/adapters/graph.py" in loaded


# ---- in the demo -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
@pytest.mark.slow
def test_the_demo_runs_the_app_from_its_zip_and_nothing_of_it_from_the_checkout(built: Built, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "demo", "--json", "--worker", "python"]
    command += ["--folder", str(tmp_path), "--package", str(built.zip)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = report(ended.stdout, ended.stderr)
    assert (result["detected"], result["contained"], result["log_verified"]) == (2, 2, True)
    log = (tmp_path / "host.log").read_text(encoding="utf-8").splitlines()
    loaded = json.loads(next(line for line in log if line.startswith('{"event": "host_stopped"')))["loaded"]
    app = tmp_path / "app"
    assert loaded.pop(str(app)) == ["hosted_function_app"]
    assert loaded.pop(str(app / "src")) == ["bypass_responder"]
    assert {"aiohttp", "azure", "httpx", "msgraph", "pydantic"} <= set(loaded.pop(str(app / SITE)))
    assert loaded.pop(str(ROOT)) == ["sandbox"]
    assert {name for names in loaded.values() for name in names} <= OF_THE_HOST


# ---- a package that cannot be run ------------------------------------------------------------------------------------


def a_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return path


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")

    with pytest.raises(PackageError, match="cannot be unpacked"):
        unpack(tmp_path / "a.zip", tmp_path / "app")


def test_a_zip_without_the_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"no function_app\.py"):
        unpack(a_zip(tmp_path / "a.zip", "host.json"), tmp_path / "app")


def test_a_package_for_another_python_is_refused(tmp_path: Path) -> None:
    package = a_zip(tmp_path / "a.zip", "function_app.py", f"{SITE}/a.cpython-399-x86_64-linux-gnu.so")

    with pytest.raises(PackageError, match=r"is for Python 3\.99, .* PYTHON=python3\.99"):
        unpack(package, tmp_path / "app")


def test_the_demo_says_so_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "demo", "--package", str(tmp_path / "none.zip")]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "none.zip cannot be unpacked" in ended.stderr

"""`make package-responder`: what goes into the zip, that it can be made again, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infra import python_wheels
from tests.infra.package.checkout import OWN, ROOT, Checkout, a_wheel

SITE = ".python_packages/lib/site-packages"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def refused(ended: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a refusal; the lines before are progress."""
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


# ---- what is in the zip ----------------------------------------------------------------------------------------------


def test_the_zip_has_the_app_and_its_packages_without_what_an_operator_needs(checkout: Checkout) -> None:
    ended = checkout.package()

    assert ended.returncode == 0, ended.stderr
    kept = ("METADATA", "WHEEL", "entry_points.txt", "LICENSE")
    packages = {f"{name}-1.0.dist-info/{file}" for name in ("first", "second") for file in kept}
    modules = {f"{name}/__init__.py" for name in ("first", "second")}
    assert checkout.names() == {name for name in OWN if "/cli/" not in name} | {
        f"{SITE}/{name}" for name in packages | modules
    }


def test_what_python_and_editors_leave_in_the_source_stays_out(checkout: Checkout) -> None:
    junk = ("__pycache__/a.cpython-313.pyc", ".venv/a.py", ".idea/a.py", "a.py.orig", "local.settings.json", "a.pyc")
    for name in junk:
        checkout.write(f"src/bypass_responder/{name}", "")

    checkout.package()

    own = {name for name in checkout.names() if name.startswith("src/")}
    assert own == {f"src/bypass_responder/{name}" for name in ("__init__.py", "bootstrap/__init__.py", "py.typed")}


def test_the_same_input_gives_the_same_bytes(checkout: Checkout) -> None:
    """Whenever it was written, and whatever was built before."""
    checkout.package()
    first = checkout.zip.read_bytes()
    os.utime(checkout.root / "host.json", (1_000_000_000, 1_000_000_000))
    (checkout.root / "host.json").chmod(0o700)

    checkout.package()

    assert checkout.zip.read_bytes() == first


def test_the_zip_lies_unpacked_beside_it_without_what_was_there(checkout: Checkout) -> None:
    (checkout.output / "responder" / "old").mkdir(parents=True)

    checkout.package()

    assert checkout.unpacked() == checkout.packed()
    assert checkout.left() == ["responder", "responder.zip"]


# ---- bytecode --------------------------------------------------------------------------------------------------------

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
TAG = f"cpython-{RUNNING.replace('.', '')}"


def test_each_module_is_compiled_for_the_apps_python(checkout: Checkout) -> None:
    ended = checkout.package("--python-version", RUNNING)

    assert ended.returncode == 0, ended.stderr
    assert set(checkout.bytecode()) == {
        f"__pycache__/function_app.{TAG}.pyc",
        *(f"src/bypass_responder/{name}__pycache__/__init__.{TAG}.pyc" for name in ("", "bootstrap/")),
        *(f"{SITE}/{name}/__pycache__/__init__.{TAG}.pyc" for name in ("first", "second")),
    }


def test_bytecode_is_used_without_a_look_at_its_source(checkout: Checkout) -> None:
    """Flags as PEP 552 has them: by hash, and not compared."""
    checkout.package("--python-version", RUNNING)

    assert {content[4:8] for content in checkout.bytecode().values()} == {b"\x01\0\0\0"}


def test_a_stack_trace_names_the_file_in_azure(checkout: Checkout) -> None:
    checkout.package("--python-version", RUNNING)

    assert b"/home/site/wwwroot/function_app.py" in checkout.bytecode()[f"__pycache__/function_app.{TAG}.pyc"]


def test_the_same_input_and_the_same_python_give_the_same_bytecode(checkout: Checkout) -> None:
    checkout.write(
        "src/bypass_responder/bootstrap/__init__.py", "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}\n"
    )
    checkout.package("--python-version", RUNNING)
    first = checkout.zip.read_bytes()
    checkout.package("--python-version", RUNNING, PYTHONHASHSEED="7")

    assert checkout.zip.read_bytes() == first


def test_generated_models_of_graph_are_not_compiled(checkout: Checkout) -> None:
    digest = a_wheel(checkout.wheels, "first", **{"msgraph/generated/a.py": "", "msgraph/client.py": ""})
    checkout.write_lock(first=digest)
    checkout.package("--python-version", RUNNING)

    assert {name for name in checkout.bytecode() if "msgraph" in name} == {
        f"{SITE}/msgraph/__pycache__/client.{TAG}.pyc"
    }


def test_without_a_python_of_the_apps_version_nothing_is_compiled(checkout: Checkout) -> None:
    ended = checkout.package("--python-version", "3.99")

    assert ended.returncode == 0, ended.stderr
    assert checkout.bytecode() == {}
    assert "there is no Python 3.99 here to compile with" in ended.stderr


def test_a_module_that_does_not_compile_is_refused(checkout: Checkout) -> None:
    checkout.write("src/bypass_responder/bootstrap/__init__.py", "def f(:\n")

    assert "not compiled" in refused(checkout.package("--python-version", RUNNING))


OTHER = f"cp3{12 if sys.version_info[1] != 12 else 11}"


@pytest.mark.parametrize(
    ("tag", "taken"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux2014_x86_64", True),
        ("cp311-abi3-manylinux_2_17_x86_64", True),
        (f"{OTHER}-{OTHER}-manylinux_2_17_x86_64", False),
        ("cp313-cp313-manylinux_2_17_aarch64", False),
        ("cp313-cp313-macosx_11_0_x86_64", False),
        ("cp313-cp313-win_amd64", False),
        ("pp313-none-any", False),
    ],
)
def test_it_is_for_the_apps_machine_whatever_runs_the_packager(checkout: Checkout, tag: str, *, taken: bool) -> None:
    (checkout.wheels / "first-1.0-py3-none-any.whl").rename(checkout.wheels / f"first-1.0-{tag}.whl")

    ended = checkout.package()

    assert ended.returncode == (0 if taken else 2), ended.stderr
    assert ("No matching distribution found for first==1.0" in ended.stderr) is not taken


def test_a_package_that_the_packagers_own_python_is_too_old_for_is_taken(checkout: Checkout) -> None:
    metadata = "Metadata-Version: 2.1\nName: first\nVersion: 1.0\nRequires-Python: >=3.99\n"
    checkout.write_lock(first=a_wheel(checkout.wheels, "first", **{"first-1.0.dist-info/METADATA": metadata}))

    assert checkout.package().returncode == 0


# ---- the lock file ---------------------------------------------------------------------------------------------------


def test_the_lock_file_agrees_with_what_is_required() -> None:
    python_wheels.require_agreement(ROOT / "requirements.txt", ROOT / "infra" / "requirements.lock", (3, 13))

    locked = python_wheels.locked(ROOT / "infra" / "requirements.lock")
    assert locked["azure-functions"] == "2.3.0"
    assert "azure-functions-runtime" not in locked, "it comes with the host"


def test_the_lock_file_names_no_address() -> None:
    text = (ROOT / "infra" / "requirements.lock").read_text(encoding="utf-8")

    assert not re.search(r"https?:|file:|/[a-z]+/", text)


def test_what_is_for_operators_only_is_not_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    operators = {each.split("==")[0] for each in project["optional-dependencies"]["cli"]}

    assert operators.isdisjoint(python_wheels.locked(ROOT / "infra" / "requirements.lock"))


@pytest.mark.parametrize(("python", "version"), [((3, 11), "1.26.0"), ((3, 12), "1.26.0"), ((3, 13), "2.3.0")])
def test_markers_are_read_for_the_apps_python(python: tuple[int, int], version: str) -> None:
    assert python_wheels.wanted(ROOT / "requirements.txt", python)["azure-functions"] == version


def test_a_lock_file_can_be_written_and_packaged_from(checkout: Checkout) -> None:
    """It has what pip resolves, so no package that nothing requires."""
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    options = ("--python-version", running)

    written = checkout.package("--write-lock", *options)

    assert written.returncode == 0, written.stderr
    assert python_wheels.locked(checkout.lock) == {"first": "1.0"}
    assert checkout.package(*options).returncode == 0


def test_a_lock_file_for_another_python_is_not_written(checkout: Checkout) -> None:
    before = checkout.lock.read_text(encoding="utf-8")

    line = refused(checkout.package("--write-lock", "--python-version", "3.99"))

    assert line.endswith("make lock PYTHON=python3.99")
    assert checkout.lock.read_text(encoding="utf-8") == before


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_a_lock_file_that_is_missing_is_one_line(checkout: Checkout) -> None:
    checkout.lock.unlink()

    assert refused(checkout.package()).endswith("requirements.lock is not there; write it: make lock")


def test_a_lock_file_of_another_version_is_refused(checkout: Checkout) -> None:
    checkout.write("requirements.txt", "first==1.1\n")

    assert "wants first 1.1 and requirements.lock has 1.0" in refused(checkout.package())


@pytest.mark.parametrize("line", ["first==1.0", "first>=1.0 --hash=sha256:00", "-r other.txt"])
def test_a_line_without_version_and_hash_is_refused(checkout: Checkout, line: str) -> None:
    checkout.lock.write_text(line, encoding="utf-8")

    assert "write it again: make lock" in refused(checkout.package())


def test_a_requirement_that_is_not_exact_is_refused(checkout: Checkout) -> None:
    checkout.write("requirements.txt", "first>=1.0\n")

    assert "requirements.txt has 'first>=1.0'" in refused(checkout.package())


def test_a_package_with_another_hash_is_not_used_and_the_old_zip_stays(checkout: Checkout) -> None:
    checkout.package()
    before = checkout.zip.read_bytes()
    a_wheel(checkout.wheels, "second", **{"second/evil.py": ""})

    line = refused(checkout.package())

    assert "second" in line
    assert "is not the package that the lock file names" in line
    assert (checkout.zip.read_bytes(), checkout.left()) == (before, ["responder", "responder.zip"])


def test_an_index_that_cannot_be_reached_is_one_line_and_nothing_is_written(checkout: Checkout) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_FIND_LINKS": ""}
    del checkout.environment["PIP_NO_INDEX"]

    line = refused(checkout.package(**nowhere), code=3)

    assert "the package index could not be reached" in line
    assert checkout.left() == []


def test_a_folder_that_is_no_checkout_is_refused(checkout: Checkout) -> None:
    (checkout.root / "host.json").unlink()

    assert "has no host.json" in refused(checkout.package())

"""The check of the packages names each thing that is in one and should not be, or the reverse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.checks import packages
from tests.infra.package.checkout import ROOT, Checkout, a_wheel

WORKER_SCRIPTS = ("package_exchange_worker.py", "powershell_modules.py")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Small enough to be packaged in a second, with the real packagers and the real worker."""
    made = Checkout(tmp_path)
    for script in WORKER_SCRIPTS:
        shutil.copy(ROOT / "infra" / script, made.lock.parent)
    shutil.copytree(ROOT / "src" / "exchange_worker", made.root / "src" / "exchange_worker")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def replace(checkout: Checkout, script: str, old: str, new: str) -> None:
    path = checkout.lock.with_name(script)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(checkout: Checkout) -> list[str]:
    return list(packages.run(checkout.root))


def test_packages_as_they_should_be_have_no_problem(checkout: Checkout) -> None:
    assert problems(checkout) == []


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("src/bypass_responder/__pycache__/services.cpython-313.pyc", True),
        ("__pycache__/function_app.cpython-313.pyc", True),
        (".python_packages/lib/site-packages/first/__pycache__/__init__.cpython-313.pyc", True),
        ("src/bypass_responder/__pycache__/services.cpython-311.pyc", False),
        ("src/bypass_responder/services.pyc", False),
        (".python_packages/lib/site-packages/first/__pycache__/notes.txt", False),
    ],
)
def test_only_bytecode_for_the_deployed_python_belongs_in_the_zip(name: str, *, belongs: bool) -> None:
    assert (list(packages._listed("responder.zip", [name], packages.RESPONDER, ())) == []) is belongs


@pytest.mark.parametrize(
    ("seed", "problem"),
    [
        (
            lambda it: replace(it, "package_responder.py", '"LICENSE")', '"LICENSE", "infra/requirements.lock")'),
            "responder.zip has infra/requirements.lock, which does not belong there",
        ),
        (
            lambda it: replace(it, "package_responder.py", 'NOT_DEPLOYED = ("cli/", ', 'NOT_DEPLOYED = ("none/", '),
            "responder.zip has src/bypass_responder/cli/app.py, which does not belong there",
        ),
        (
            lambda it: replace(it, "package_responder.py", r"[^/]+/tests/.*|", ""),
            "responder.zip has .python_packages/lib/site-packages/first/tests/test_it.py, which does not belong there",
        ),
        (
            lambda it: it.write_lock(first=a_wheel(it.wheels, "first"), sandbox=a_wheel(it.wheels, "sandbox")),
            "responder.zip has .python_packages/lib/site-packages/sandbox/__init__.py, which does not belong there",
        ),
        (
            lambda it: (it.root / "src/bypass_responder/bootstrap/__init__.py").unlink(),
            "responder.zip has no src/bypass_responder/bootstrap/__init__.py",
        ),
        (
            lambda it: it.lock.unlink(),
            "infra.package_responder built nothing: responder: {root}/infra/requirements.lock is not there",
        ),
        (
            lambda it: replace(it, "package_exchange_worker.py", r"(?!local\.settings)", ""),
            "exchange-worker.zip has local.settings.example.json, which does not belong there",
        ),
        (
            lambda it: it.write("src/exchange_worker/docs/notes.ps1", ""),
            "exchange-worker.zip has docs/notes.ps1, which does not belong there",
        ),
        (
            lambda it: (it.root / "src/exchange_worker/ExchangeSweeps/run.ps1").unlink(),
            "exchange-worker.zip has no ExchangeSweeps/run.ps1",
        ),
        (
            lambda it: (it.root / "src/exchange_worker/host.json").unlink(),
            "infra.package_exchange_worker built nothing: exchange-worker: {root}/src/exchange_worker is no function",
        ),
    ],
)
def test_a_fault_is_named(checkout: Checkout, seed: Callable[[Checkout], object], problem: str) -> None:
    seed(checkout)

    assert problem.format(root=checkout.root) in "\n".join(problems(checkout))


def test_a_package_that_another_one_requires_is_missed(checkout: Checkout) -> None:
    metadata = "Metadata-Version: 2.1\nName: first\nVersion: 1.0\n"
    metadata += 'Requires-Dist: third>=1\nRequires-Dist: other; python_version < "3.13"\n'
    metadata += 'Requires-Dist: more; extra == "more"\n'
    digest = a_wheel(checkout.wheels, "first", **{"first-1.0.dist-info/METADATA": metadata})
    checkout.write_lock(first=digest)

    assert problems(checkout) == ["responder.zip has no package third, which first requires"]


def test_what_an_operator_has_around_the_worker_stays_out(checkout: Checkout) -> None:
    for junk in (".venv/a.ps1", "ExchangeSweeps/local.settings.json", "Modules/Own/Own.psd1", "ExchangeBypass/a.md"):
        checkout.write(f"src/exchange_worker/{junk}", "")

    assert problems(checkout) == []

"""The hooks of azd with stand-ins for the programs that they call; each call is recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOOKS = ROOT / "infra" / "hooks"
PROGRAMS = ("az", "azd", "make", "py")
IN_ENVIRONMENT = ("bypassctl", "python")
SETTINGS = {
    "AZURE_SUBSCRIPTION_ID": "5e0b1d52-0000-4000-8000-000000000001",
    "AZURE_RESOURCE_GROUP": "rg-bypass",
    "TENANT_ID": "5e0b1d52-0000-4000-8000-000000000002",
    "RESPONDER_APP_NAME": "responder-app",
    "RESPONDER_PRINCIPAL_ID": "5e0b1d52-0000-4000-8000-000000000003",
    "RESPONDER_CLIENT_ID": "5e0b1d52-0000-4000-8000-000000000006",
    "WORKER_PRINCIPAL_ID": "5e0b1d52-0000-4000-8000-000000000004",
    "WORKER_CLIENT_ID": "5e0b1d52-0000-4000-8000-000000000005",
    "EVENT_TOPIC_NAME": "topic",
    "DATA_ACCOUNT_NAME": "data",
    "ALERTS_TO": "function",
    "EVENTS_RETRY_SECONDS": "0",
}
STAND_IN = """#!{python} -IS
import json, os, sys
from pathlib import Path

folder, call = Path({folder!r}), [Path(sys.argv[0]).name, *sys.argv[1:]]
with (folder / "calls").open("a") as log:
    log.write(json.dumps(call) + "\\n")
if call == ["make", "setup"] or call[:1] == ["py"]:
    programs = Path(".venv", "bin")
    programs.mkdir(parents=True, exist_ok=True)
    for name in {in_environment!r}:
        if not (programs / name).exists():
            (programs / name).symlink_to(folder / "stand-in")
call_line = " ".join(call)
if call[:2] == ["az", "version"]:
    print(os.environ.get("AZ_VERSION", "2.91.0"))
    sys.exit(0)
if call == ["make", "setup"] or call[1:3] == ["-m", "pip"]:
    print("Successfully installed something", flush=True)
calls = [" ".join(json.loads(line)) for line in (folder / "calls").read_text().splitlines()]
for begins, answers in json.loads((folder / "answers").read_text()).items():
    if call_line.startswith(begins):
        code, text = answers[min(sum(each.startswith(begins) for each in calls), len(answers)) - 1]
        sys.stderr.write(text)
        sys.exit(code)
"""
SAME: dict[tuple[str, ...], list[str]] = {
    ("python", "-m", "pip"): ["make", "setup"],
    ("python", "-m", "infra.package_responder"): ["make", "package-responder"],
    ("python", "-m", "infra.package_console"): ["make", "package-console"],
    ("-3", "-m", "infra.package_exchange_worker"): ["make", "exchange-worker"],
}
"""What the hooks in PowerShell call in place of make, which Windows lacks."""


@dataclass
class Checkout:
    """A folder with the hooks in it, a shell to run them with, and what was called so far."""

    folder: Path
    shell: str
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))

    def __post_init__(self) -> None:
        shutil.copytree(HOOKS, self.folder / "checkout" / "infra" / "hooks")
        names = {"python": sys.executable, "folder": str(self.folder), "in_environment": IN_ENVIRONMENT}
        stand_in = self.folder / "stand-in"
        stand_in.write_text(STAND_IN.format(**names), encoding="utf-8")
        stand_in.chmod(0o755)
        (self.folder / "bin").mkdir()
        for program in PROGRAMS:
            (self.folder / "bin" / program).symlink_to(stand_in)
        self.answer({})

    def answer(self, answers: dict[str, list[tuple[int, str]]]) -> None:
        """Exit code and stderr of calls that begin so, one after the other, the last one from then on."""
        (self.folder / "answers").write_text(json.dumps(answers), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder)} | self.settings

    def run(self, hook: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment() | settings
        script = self.folder / "checkout" / "infra" / "hooks" / hook
        command = ["sh", f"{script}.sh"] if self.shell == "sh" else ["pwsh", "-NoProfile", "-File", f"{script}.ps1"]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder / "checkout", env=environment
        )

    def calls(self) -> list[list[str]]:
        """What was called, in the words of the hooks in sh; without the question for az's version."""
        log = self.folder / "calls"
        calls: list[list[str]] = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        made = [
            call[1:] if call[0] == "py" else call
            for call in calls
            if "venv" not in call and call[:2] != ["az", "version"]
        ]
        return [SAME.get(tuple(call[:3]), call) for call in made]

    def called(self) -> list[str]:
        return [" ".join(call) for call in self.calls()]

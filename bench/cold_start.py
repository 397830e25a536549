"""(c) Cold start: a fresh process that imports and indexes function_app ÷ one with a bare app.

The bare app is an azure-functions app with one timer. The same again with the first invocation of each trigger, against
Azurite and a stand-in tenant, ÷ the bare timer's. A time is that of the whole process, the interpreter's own start
included. The apps take turns, every other round backwards; bytecode is cached. Packages that are installed here and not
deployed are hidden.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.azurite import Azurite
from sandbox.child import ROOT
from sandbox.tenant.server import environment, serving
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BARE = """
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
async def tick(timer: func.TimerRequest) -> None:
    pass
"""
_CHILD = """
import sys
sys.modules |= dict.fromkeys(("click", "pygments", "rich"))  # httpx imports them for its command, where they are
from function_app import app
functions = {function.get_function_name(): function.get_user_function() for function in app.get_functions()}
if len(sys.argv) > 1:
    import asyncio
    import json
    import os
    import uuid
    from datetime import UTC, datetime
    import azure.functions as func
    hint = {"tenantId": os.environ["TENANT_ID"], "target": "alex@contoso.onmicrosoft.com"}
    alert = {"id": str(uuid.uuid4()), "subject": "SIEM", "data": hint}
    match sys.argv[1]:
        case "receive_alert":
            now = datetime.now(UTC).isoformat()
            given = func.EventGridEvent(topic="t", event_type="Bypass", event_time=now, data_version="1", **alert)
        case "receive_queued_alert":
            given = func.QueueMessage(body=json.dumps(alert | {"specversion": "1.0"}).encode())
        case _:
            given = func.QueueMessage(body=b'{"command_id": "nobody asked"}')
    asyncio.run(functions[sys.argv[1]](given))
"""
_TRIGGERS = (
    "poll_audit_feed",
    "hunt_audit_events",
    "resume_responses",
    "sweep_bypass_state",
    "gather_evidence",
    "read_posture",
    "receive_alert",
    "receive_queued_alert",
    "record_exchange_result",
    "record_exchange_read",
    "carry_out_decision",
    "carry_out_console_decision",
    "send_notifications",
    "health",
)
_WARM_UP = 1
"""Rounds that write the bytecode and make the tenant's first rows."""


def measure(rounds: int = 11) -> dict[str, Any]:
    """Medians in milliseconds, and how many times the bare app's time ours takes."""
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as settings:
        bare = Path(folder) / "bare"
        bare.mkdir()
        (bare / "function_app.py").write_text(_BARE)
        indexed = {"bare": (bare, ""), "index": (ROOT, "")}
        invoked = {"bare_tick": (bare, "tick")} | {f"first_{name}": (ROOT, name) for name in _TRIGGERS}
        times = _take_turns(indexed, rounds=3 * rounds, settings=settings)
        times |= _take_turns(invoked, rounds=rounds, settings=settings)
    median = {name: statistics.median(values) for name, values in times.items()}
    ratios = {f"times_bare_{name}": median[f"first_{name}"] / median["bare_tick"] for name in _TRIGGERS}
    return {
        "times_bare": round(median["index"] / median["bare"], 2),
        **{name: round(ratio, 2) for name, ratio in ratios.items()},
        **{f"{name}_ms": round(value) for name, value in median.items()},
        "runs": rounds,
    }


def _take_turns(
    runs: Mapping[str, tuple[Path, str]], *, rounds: int, settings: Mapping[str, str]
) -> dict[str, list[float]]:
    """Milliseconds by name: of an app's folder, indexed and, where a function is named, invoked."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(_WARM_UP + rounds):
        for name, (app, function) in sorted(runs.items(), reverse=number % 2 == 1):
            times[name].append(_milliseconds(app, *filter(None, [function]), settings=settings))
    return {name: values[_WARM_UP:] for name, values in times.items()}


@contextmanager
def _services(folder: Path) -> Iterator[dict[str, str]]:
    """Run the services that the invocations call, with nothing new in the feed.

    Yields the whole environment of the apps.
    """
    tenant = Tenant()
    with Azurite(log=folder / "azurite.log") as azurite, serving(tenant) as url:
        settings = environment(url) | {
            "PATH": os.environ["PATH"],
            "TENANT_ID": tenant.settings.tenant_id,
            "ResponderStorage": azurite.connection_string,
            "GRAPH_URL": url,
            "MANAGEMENT_API_URL": url,
        }
        _run(ROOT, "-m", "sandbox.infrastructure", settings=settings)
        yield settings


def _milliseconds(app: Path, *arguments: str, settings: Mapping[str, str]) -> float:
    began = time.perf_counter()
    _run(app, "-c", _CHILD, *arguments, settings=settings)
    return (time.perf_counter() - began) * 1000


def _run(app: Path, *arguments: str, settings: Mapping[str, str]) -> None:
    """Raises AssertionError with the output of the process if it failed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=app, env=dict(settings), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))

"""An app that brings its packages gets those, before the ones that the host has."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sandbox.child import Child, free_ports

APP = """
import azure.functions as func
import tenacity
app = func.FunctionApp()
@app.route(trigger_arg_name="request", route="ping")
def ping(request: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("pong")
"""


def test_a_package_of_the_app_is_loaded_in_place_of_the_hosts(tmp_path: Path) -> None:
    site = tmp_path / "app" / ".python_packages" / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "tenacity.py").write_text("")
    (tmp_path / "app" / "host.json").write_text("{}")
    (tmp_path / "app" / "function_app.py").write_text(APP)
    [port] = free_ports(1)
    command = [sys.executable, "-m", "sandbox.host", "--app-dir", str(tmp_path / "app"), "--port", str(port)]
    host = Child("host", command, environment=os.environ, log=tmp_path / "host.log")

    host.start(port)
    host.stop()

    last = json.loads((tmp_path / "host.log").read_text(encoding="utf-8").splitlines()[-1])
    assert last["event"] == "host_stopped"
    assert last["loaded"][str(site)] == ["tenacity"]
    assert last["loaded"][str(tmp_path / "app")] == ["hosted_function_app"]
    assert "azure" in {name for folder, names in last["loaded"].items() for name in names if folder != str(site)}

"""What the local host says about an app that it cannot run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.host.index import HostError, load
from sandbox.host.settings import QueueSettings

SAMPLE = Path(__file__).with_name("sample")


def test_a_setting_that_a_binding_names_must_be_there() -> None:
    with pytest.raises(HostError, match="SAMPLE_SCHEDULE is not set"):
        load(SAMPLE, {"SAMPLE_QUEUE": "sample"})


def test_a_function_must_have_the_parameter_that_its_trigger_names(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route(route='health')\n"
        "def health(request: func.HttpRequest) -> str: return 'up'\n"
    )

    with pytest.raises(HostError, match="health has no parameter req"):
        load(tmp_path, {})


def test_a_folder_without_an_app_is_refused_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.host", "--app-dir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (2, f"host: {tmp_path / 'function_app.py'} is not there\n")


def test_the_environment_overrides_host_json_as_in_azure() -> None:
    environment = {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:01:02"}
    settings = QueueSettings.read(SAMPLE, environment, lease_seconds=1)

    assert (settings.retry_after_seconds, settings.max_dequeue_count) == (62, 3)

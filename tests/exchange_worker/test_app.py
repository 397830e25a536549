"""What the host reads of the worker: bindings, queues, settings. Needs no PowerShell."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from bypass_responder.model.exchange_read import ReadKind, ReadOutcome
from bypass_responder.model.message import CommandKind, ExchangeOutcome
from bypass_responder.model.sweep import SweepResult
from sandbox.exchange_online.powershell import APP


def read(name: str) -> Any:
    return json.loads((APP / name).read_text(encoding="utf-8"))


def bindings(function: str) -> list[tuple[str, str, str, str, str]]:
    found = read(f"{function}/function.json")["bindings"]
    return [
        (each["type"], each["direction"], each["name"], each.get("queueName") or each["path"], each["connection"])
        for each in found
    ]


def test_commands_are_read_from_their_queue_and_answered_on_the_other() -> None:
    assert bindings("ExchangeCommands") == [
        ("queueTrigger", "in", "QueueItem", "%EXCHANGE_COMMANDS_QUEUE%", "ResponderStorage"),
        ("queue", "out", "Result", "%EXCHANGE_RESULTS_QUEUE%", "ResponderStorage"),
    ]


def test_checks_have_a_queue_of_their_own() -> None:
    assert bindings("ExchangeChecks") == [
        ("queueTrigger", "in", "QueueItem", "%EXCHANGE_CHECKS_QUEUE%", "ResponderStorage"),
        ("queue", "out", "Result", "%EXCHANGE_RESULTS_QUEUE%", "ResponderStorage"),
    ]


def test_sweeps_have_a_queue_of_their_own_and_a_blob_for_the_list() -> None:
    assert bindings("ExchangeSweeps") == [
        ("queueTrigger", "in", "QueueItem", "%EXCHANGE_SWEEPS_QUEUE%", "ResponderStorage"),
        ("blob", "out", "Sweep", "sweeps/{id}.json", "ResponderStorage"),
        ("queue", "out", "Result", "%EXCHANGE_RESULTS_QUEUE%", "ResponderStorage"),
    ]


def test_reads_have_queues_of_their_own_and_blobs_for_rows_and_records() -> None:
    assert bindings("ExchangeReads") == [
        ("queueTrigger", "in", "QueueItem", "%EXCHANGE_READS_QUEUE%", "ResponderStorage"),
        ("blob", "in", "Recorded", "changes/{record}.json", "ResponderStorage"),
        ("blob", "in", "Ended", "changes/{record}.ended", "ResponderStorage"),
        ("blob", "out", "Rows", "reads/{id}.jsonl.gz", "ResponderStorage"),
        ("blob", "out", "Record", "changes/{id}.json", "ResponderStorage"),
        ("blob", "out", "NowEnded", "changes/{record}.ended", "ResponderStorage"),
        ("queue", "out", "Result", "%EXCHANGE_READ_RESULTS_QUEUE%", "ResponderStorage"),
    ]


def test_one_message_at_a_time_and_five_tries() -> None:
    queues = read("host.json")["extensions"]["queues"]

    assert (queues["batchSize"], queues["newBatchThreshold"], queues["maxDequeueCount"]) == (1, 0, 5)
    assert queues["messageEncoding"] == "base64"


def test_the_longest_sweep_fits_into_the_time_out() -> None:
    """Exchange ends a cmdlet after 15 minutes."""
    hours, minutes, _ = map(int, read("host.json")["functionTimeout"].split(":"))

    assert hours * 60 + minutes >= 4 * 15


def test_nothing_is_downloaded_at_the_start() -> None:
    assert read("host.json")["managedDependency"] == {"enabled": False}
    assert not (APP / "requirements.psd1").exists()


def test_the_example_settings_name_every_setting() -> None:
    given = set(read("local.settings.example.json")["Values"])
    text = "".join(path.read_text(encoding="utf-8") for path in APP.rglob("function.json"))
    own = (APP / "ExchangeBypass" / "Private" / "Get-WorkerSetting.ps1").read_text(encoding="utf-8")
    wanted = set(re.findall(r"%(\w+)%", text)) | set(re.findall(r"^    ([A-Z]+(?:_[A-Z]+)+) ", own, re.MULTILINE))

    assert {"EXCHANGE_SWEEPS_QUEUE", "TENANT_ID", "RETRY_PAUSE_SECONDS"} <= wanted
    assert wanted <= given


def words_in(heading: str) -> set[str]:
    """The words of the first column of the table under a heading of the document."""
    text = (APP.parents[1] / "docs" / "exchange-worker.md").read_text(encoding="utf-8")
    table = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return {word for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)}


def test_the_document_names_every_setting() -> None:
    wired = {
        name for name in read("local.settings.example.json")["Values"] if not name.startswith(("FUNCTIONS_", "PS"))
    }

    assert words_in("Settings") == wired - {"AzureWebJobsStorage"}


def test_the_document_names_every_command_and_outcome() -> None:
    outcomes = {*ExchangeOutcome, *get_args(SweepResult.model_fields["outcome"].annotation), *ReadOutcome}

    assert words_in("Commands") == {*CommandKind, *ReadKind}
    assert words_in("Answers") == outcomes


@pytest.mark.parametrize("function", ["ExchangeChecks", "ExchangeCommands", "ExchangeReads", "ExchangeSweeps"])
def test_each_function_is_a_folder_with_its_script(function: str) -> None:
    assert (APP / function / "run.ps1").is_file()

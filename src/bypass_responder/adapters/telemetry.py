"""Sends all of the app's own log lines to Application Insights, unsampled, without its libraries'.

The host sends requests, its own traces and exceptions of failed runs. PYTHON_ENABLE_OPENTELEMETRY makes it leave the
worker's lines alone, because the app sends them; set one without the other, and lines are lost or come twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = "bypass_responder"
"""The logger whose lines are sent."""
FLUSH_SECONDS = 5.0
TRIES = 3
"""Then a batch waits on the disk of the instance, and is sent with a later one."""
UNUSED = ("azure_sdk", "django", "fastapi", "flask", "httpx", "httpx2", "psycopg2", "requests", "urllib", "urllib3")
"""Instrumentations that slow the start, cost a span per call and add nothing to the response log."""
SDK_SETTINGS = {
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "65536",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_functions",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_TRACES_EXPORTER": "none",
}
"""What the SDK reads from the environment only: no statistics about itself, no remote switch, no metrics and no spans,
room for a burst of lines, and the name of the app without asking the network for it. An app setting goes before."""
_started = threading.Event()
_flusher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telemetry")
"""A separate thread: hanging ingestion must not occupy the threads that resolve names of Graph and storage."""


def start(environment: Mapping[str, str]) -> bool:
    """Start sending, once per process and only with a destination. Returns True when lines are sent.

    What keeps it from beginning, a wrong connection string or no room for its queue, is logged and stops nothing:
    containment comes before telemetry.
    Permission: Monitoring Metrics Publisher on the Application Insights resource, which takes no key.
    """
    connection = environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip()
    if not connection:
        return False
    if not _started.is_set():
        try:
            _configure(connection, environment)
        except (ValueError, OSError) as problem:
            logging.getLogger(__name__).error("no line goes to Application Insights: %s", problem)  # noqa: TRY400 - the sentence says it
            return False
        _started.set()
    return True


def _configure(connection: str, environment: Mapping[str, str]) -> None:
    for name, value in SDK_SETTINGS.items():
        os.environ.setdefault(name, value)
    from azure.identity import ManagedIdentityCredential
    from azure.monitor.opentelemetry import configure_azure_monitor

    keyless = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING" in environment
    client_id = environment.get("AZURE_CLIENT_ID") or None
    configure_azure_monitor(
        connection_string=connection,
        credential=ManagedIdentityCredential(client_id=client_id) if keyless else None,
        logger_name=OURS,
        enable_live_metrics=False,
        enable_performance_counters=False,
        enable_trace_based_sampling_for_logs=False,
        instrumentation_options={name: {"enabled": False} for name in UNUSED},
        retry_total=TRIES,
    )
    logging.getLogger(OURS).setLevel(logging.INFO)


async def flush() -> None:
    """Send pending lines, since an instance may end after its run. The rest is sent in the background."""
    if not _started.is_set():
        return
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.sdk._logs import LoggerProvider

    provider = get_logger_provider()
    if isinstance(provider, LoggerProvider):
        await asyncio.wait([asyncio.wrap_future(_flusher.submit(provider.force_flush))], timeout=FLUSH_SECONDS)

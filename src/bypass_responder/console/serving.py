"""Answers requests of Azure Functions. The first one builds the web app; the process keeps it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from azure.functions import AsgiMiddleware

from bypass_responder import bootstrap
from bypass_responder.adapters import telemetry
from bypass_responder.console.app import create_app

if TYPE_CHECKING:
    from azure.functions import Context, HttpRequest, HttpResponse

_built: WeakKeyDictionary[asyncio.AbstractEventLoop, AsgiMiddleware] = WeakKeyDictionary()


async def answer(request: HttpRequest, context: Context) -> HttpResponse:
    """Answer one request of the host. Raises SettingError on the first one when a setting is wrong."""
    loop = asyncio.get_running_loop()
    if loop not in _built:
        telemetry.start(os.environ)
        services = bootstrap.build_console(os.environ)
        web = create_app(services, await services.form_key())
        _built[loop] = AsgiMiddleware(web)  # type: ignore[no-untyped-call]
    try:
        answered: HttpResponse = await _built[loop].handle_async(request, context)
    finally:
        await telemetry.flush()
    return answered

"""The function app of the console: one HTTP trigger, which hands every request to the web app.

The host imports this file on every cold start. The web framework is loaded by the first request.
"""

from __future__ import annotations

import sys
from pathlib import Path

import azure.functions as func

sys.path.insert(0, str(Path(__file__).parent / "src"))

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # App Service authentication is the gate


@app.route(trigger_arg_name="request", route="{*path}", methods=["GET", "HEAD", "POST"])
async def console(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer one request."""
    from bypass_responder.console import serving

    return await serving.answer(request, context)

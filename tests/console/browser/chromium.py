"""Real Chromium on the real console, served by uvicorn over the in-memory world."""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from playwright.async_api import async_playwright

from bypass_responder.console.app import create_app
from sandbox.sign_in import SignIn
from tests.console.visitors import KEY, services_of
from tests.world import TENANT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.world import World

ROOT = Path(__file__).parents[3]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
PROGRAM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = pytest.mark.skipif(
    PROGRAM is None or not AXE.exists(), reason="no /usr/bin/chromium (apt-get install chromium) or no axe-core"
)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """Serve the console, and give its address."""
    app = SignIn(create_app(services_of(world), KEY), tenant_id=TENANT)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def browsing(world: World, who: str, **options: Any) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page of a person who signed in, and what Chromium wrote to its console."""
    async with served(world) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        context = await chromium.new_context(base_url=address, **options)
        page = await context.new_page()
        written: list[str] = []
        page.on("console", lambda message: written.append(message.text))
        page.on("pageerror", lambda error: written.append(str(error)))
        await page.goto("/.auth/login/aad?post_login_redirect_uri=/needs-decision")
        await page.get_by_role("link", name=who).click()
        written.clear()  # the sign-in page is not ours
        yield page, written
        await chromium.close()


async def violations(page: Page) -> list[str]:
    """What axe finds on the page."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run()")
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]


async def picture_of(page: Page, name: str, *, width: int = 760, height: int = 720) -> None:
    """Take the picture that the documents show."""
    await page.set_viewport_size({"width": width, "height": height})
    await page.screenshot(path=ROOT / "docs" / name)

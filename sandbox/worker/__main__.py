"""``python -m sandbox.worker``: the stand-in Exchange worker as a process of its own, set up by its environment."""

import asyncio
import os
from contextlib import suppress

from sandbox.worker.loop import Worker, WorkerSettings


async def _main() -> None:
    async with Worker(WorkerSettings.from_environment(os.environ)) as worker:
        print('{"worker": "ready"}', flush=True)
        await worker.run()


with suppress(KeyboardInterrupt):
    asyncio.run(_main())

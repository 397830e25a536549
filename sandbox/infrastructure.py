"""`python -m sandbox.infrastructure`: makes the tables, queues and containers.

The deployment does the same in Azure.
"""

from __future__ import annotations

import asyncio
import os

from bypass_responder import bootstrap


async def main() -> None:
    """Make what is missing in the storage that the environment names."""
    responder = bootstrap.build(os.environ)
    try:
        await responder.create_storage()
    finally:
        await responder.aclose()


if __name__ == "__main__":
    asyncio.run(main())

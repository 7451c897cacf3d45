"""Sends pieces of a stream on together where they come in quick succession.

What Ray takes for a message, about a millisecond of a processor on its way through replica, gateway and proxy, is as much as a small model
takes for a token. Nobody reads faster than some twenty pieces a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator


async def gathered(parts: AsyncIterator[bytes], seconds: float) -> AsyncGenerator[bytes, None]:
    """The parts of a stream, of which those that come within so many seconds after the one before are sent together.

    The first one is sent at once, and so is the last. What ends the stream early is raised after all that has come before it.
    """
    held = bytearray()
    arrived = asyncio.Event()

    async def read() -> None:
        try:
            async for part in parts:
                held.extend(part)
                arrived.set()
        finally:
            arrived.set()

    reading = asyncio.ensure_future(read())
    try:
        while not (reading.done() and not held):
            await arrived.wait()
            arrived.clear()
            if held:
                whole = bytes(held)
                held.clear()
                yield whole
                # Cut short by the end of the stream.
                await asyncio.wait({reading}, timeout=seconds)
            if reading.done():
                arrived.set()
        await reading
    finally:
        reading.cancel()

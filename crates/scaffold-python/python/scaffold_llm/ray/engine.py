"""A replica: an actor with one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx

from ..errors import UnavailableError
from .gathering import gathered
from .process import Process

if TYPE_CHECKING:
    from .models import Served

# What the engine is told of a request's head; who may ask is for what stands before the gateways.
_PASSED_ON = frozenset(("accept", "content-type", "anthropic-version", "anthropic-beta", "x-request-id"))


class Engine:
    """A model in a process of its own, and the way to it. Answers come as the engine writes them."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._process = Process(served.model, served.cpus, served.settings, served.start_timeout)
        # Serve says how many may be at work, and an answer may take its time.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.AsyncClient(
            base_url=self._process.address, timeout=httpx.Timeout(None, connect=10), limits=limits, trust_env=False
        )

    async def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes, prefix: str = ""
    ) -> AsyncIterator[Any]:
        """The answer to a request: first its status and head, then its bytes as they come, gathered.

        Args:
            method, path, headers, body: the request.
            prefix: for the router, which has read it by now.
        """
        passed = {name: value for name, value in headers.items() if name.lower() in _PASSED_ON}
        async with self._client.stream(method, path, headers=passed, content=body) as answer:
            yield answer.status_code, {"content-type": answer.headers.get("content-type", "application/json")}
            # Whoever leaves ends the reading, and with it the engine's computing, at once.
            async with contextlib.aclosing(gathered(answer.aiter_raw(), self._served.gather)) as parts:
                async for part in parts:
                    yield part

    async def check_health(self) -> None:
        """Raises an error when the replica is to be replaced; Serve asks."""
        self._process.check()
        if not await asyncio.to_thread(self._process.is_ready):
            raise UnavailableError(f"the engine of {self._served.model} does not answer at {self._process.address}/ready")

    def __del__(self) -> None:
        # Serve has let the answers at hand come to their end, or has waited long enough.
        process = getattr(self, "_process", None)
        if process is not None:
            process.stop(5)

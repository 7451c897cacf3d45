"""Sends many requests through the asynchronous interface, cancels some of them at random, and looks at the memory of the process.

    python tests/soak.py --requests 10000
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from scaffold_llm import AsyncLLM
from tiny_models import write_chat_model


@dataclass
class Soaked:
    """What was seen."""

    done: int
    cancelled: int
    memory: list[float]
    """MiB of the process after each tenth of the requests."""
    held: int
    """Blocks of memory that requests still hold at the end."""

    @property
    def growth(self) -> float:
        """MiB from after the first three tenths, when all that is made once has been made, to the end."""
        return self.memory[-1] - self.memory[2]


def resident() -> float:
    """MiB of the process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


async def soak(model: AsyncLLM, requests: int, at_once: int, seed: int) -> Soaked:
    """Sends so many requests, so many at once."""
    chance = random.Random(seed)
    soaked = Soaked(0, 0, [], 0)

    async def whole(number: int) -> None:
        await model.generate(f"request {number}", max_new_tokens=chance.randrange(1, 60), ignore_eos=True)

    async def pieces(number: int) -> None:
        most = chance.choice((2, 1000))
        async with model.chat_stream(f"request {number}", max_new_tokens=chance.randrange(1, 60), logprobs=1) as stream:
            async for _ in stream:
                most -= 1
                if most == 0:
                    break

    async def one(number: int) -> None:
        task = asyncio.create_task(chance.choice((whole, pieces))(number))
        if chance.random() < 0.4:
            # From at once to late, whatever the speed of the machine.
            await asyncio.sleep(10 ** chance.uniform(-4, -1))
            task.cancel()
        try:
            await task
            soaked.done += 1
        except asyncio.CancelledError:
            soaked.cancelled += 1

    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            await one(number)
            if (number + 1) % max(1, requests // 10) == 0:
                gc.collect()
                soaked.memory.append(resident())

    await asyncio.gather(*(worker() for _ in range(at_once)))
    end = time.monotonic() + 20
    while (held := model.metrics["blocks"]["held"]) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    soaked.held = held
    return soaked


def run(requests: int, at_once: int = 64, seed: int = 1) -> Soaked:
    """Soaks a tiny model with random weights."""
    with tempfile.TemporaryDirectory() as folder:
        model = AsyncLLM(write_chat_model(Path(folder) / "model"), threads=1, max_sequences=16)
        try:
            return asyncio.run(soak(model, requests, at_once, seed))
        finally:
            model.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    found = run(arguments.requests, arguments.at_once, arguments.seed)
    print(f"{found.done} answered, {found.cancelled} cancelled in {time.monotonic() - began:.0f} s; blocks held: {found.held}")
    print("memory in MiB:", " ".join(f"{one:.0f}" for one in found.memory), f"growth {found.growth:+.1f}")

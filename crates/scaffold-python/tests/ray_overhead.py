"""What Ray takes: tokens a second of one engine in this process, behind HTTP, and behind Ray Serve, in turns; and the processors' time
that Ray's own processes took meanwhile for each token, which does not depend on what else the machine does.

    python tests/ray_overhead.py --model starter --rounds 3
"""

from __future__ import annotations

import argparse
import concurrent.futures
import logging
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve

from scaffold_llm import LLM
from scaffold_llm.ray import app
from scaffold_llm.ray.process import Process


def prompt(number: int) -> list[dict[str, str]]:
    """A prompt that no other begins with."""
    return [{"role": "user", "content": f"{number}: write about rivers."}]


def over_http(address: str, model: str, numbers: range, tokens: int, at_once: int, stream: bool) -> float:
    """Tokens a second that a server writes."""

    def ask(number: int) -> None:
        body = {"model": model, "messages": prompt(number), "max_tokens": tokens, "temperature": 0, "ignore_eos": True}
        with httpx.stream("POST", f"{address}/v1/chat/completions", json={**body, "stream": stream}, timeout=600) as answer:
            text = answer.read()
        assert answer.status_code == 200 and (not stream or text.endswith(b"data: [DONE]\n\n")), text[-300:]

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as threads:
        list(threads.map(ask, numbers))
    return len(numbers) * tokens / (time.monotonic() - began)


def in_process(llm: LLM, numbers: range, tokens: int) -> float:
    """Tokens a second of an engine in this process."""
    began = time.monotonic()
    llm.chats([prompt(number) for number in numbers], max_new_tokens=tokens, temperature=0, ignore_eos=True)
    return len(numbers) * tokens / (time.monotonic() - began)


def rays_own() -> float:
    """Seconds that Ray's processes have computed for, without the engines'."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if command.startswith(b"ray::") or b"raylet" in command or b"gcs_server" in command:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measures, and prints medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--replicas", type=int, default=1)
    said = parser.parse_args()
    ray.init(num_cpus=said.replicas + 1, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    counts = {"min_replicas": said.replicas, "max_replicas": said.replicas}
    serve.run(app({"model": said.model, "memory": "500MiB", **counts}), name="scaffold")
    process = Process(said.model, 1, {}, 600)
    llm = LLM(said.model, threads=1, progress=False)
    ways: dict[str, Callable[[range], float]] = {"in process": lambda numbers: in_process(llm, numbers, said.tokens)}
    for name, stream in (("", False), (", streamed", True)):
        for where, address in (("scaffold serve", process.address), ("Ray Serve", "http://127.0.0.1:8000")):

            def way(numbers: range, address: str = address, stream: bool = stream) -> float:
                return over_http(address, said.model, numbers, said.tokens, said.at_once, stream)

            ways[where + name] = way
    speeds: dict[str, list[Any]] = {name: [] for name in ways}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    at = 0
    for turn in range(said.rounds + 1):
        for name, measure in ways.items():
            before = rays_own()
            found = measure(range(at, at + said.requests))
            taken = rays_own() - before
            at += said.requests
            # The first round is for what is done once.
            if turn:
                speeds[name].append(found)
                costs[name].append(1000 * taken / (said.requests * said.tokens))
    for name, found in speeds.items():
        print(f"{name:26} {statistics.median(found):7.1f} tokens/s  ({', '.join(f'{one:.1f}' for one in found)})"
              f"  Ray: {statistics.median(costs[name]):.2f} ms of a core a token")
    process.stop(5)
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()

"""Starts and ends the process of an engine."""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

from ..errors import UnavailableError

_ADDRESS = re.compile(r"listening on (http://\S+?):? ")
_KEPT_LINES = 40
_LOOKED_AT = 0.1
"""Seconds between two looks at whether it is ready."""


class Process:
    """``scaffold serve`` as a process of this one's own, at a port of this machine alone.

    Args:
        model: the model that it loads at its start.
        threads: threads that compute.
        settings: what is said over the environment.
        timeout: seconds for fetching and loading.

    Raises:
        UnavailableError: it has ended, or is not ready in time; with its last words.
    """

    def __init__(self, model: str, threads: int, settings: Mapping[str, str], timeout: float) -> None:
        self.model = model
        self._lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._found = threading.Event()
        self.address = ""
        self._process = subprocess.Popen(
            self._command(["--port", "0", "--model", model, "--threads", str(threads), "--download", "--log", "warn"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # The actor may have been told of fewer cores by Ray, in words for other libraries.
            env={**os.environ, **settings},
        )
        threading.Thread(target=self._read, daemon=True, name="scaffold-engine-log").start()
        try:
            self._wait(timeout)
        except BaseException:
            self.stop(0)
            raise

    @staticmethod
    def _command(arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "scaffold_llm.ray.child", *arguments]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line.rstrip())
            found = _ADDRESS.search(line)
            if found and not self.address:
                self.address = found[1]
                self._found.set()
            # Where the actor's own words go, Ray collects them.
            print(f"[{self.model}] {line}", end="", file=sys.stderr, flush=True)
        self._found.set()

    def _wait(self, timeout: float) -> None:
        end = time.monotonic() + timeout
        self._found.wait(timeout)
        while time.monotonic() < end:
            self.check()
            if self.address and self.is_ready():
                return
            time.sleep(_LOOKED_AT)
        raise UnavailableError(
            f"{self.model} is not ready after {timeout:g} seconds; its last words:\n{self.last_words}\n"
            "  to do: give it more time (start_timeout), or fetch the model on the nodes before: scaffold pull"
        )

    def is_ready(self) -> bool:
        """Whether the model is loaded and answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def check(self) -> None:
        """Raises an error if the process has ended."""
        code = self._process.poll()
        if code is not None:
            time.sleep(_LOOKED_AT)
            raise UnavailableError(
                f"the engine of {self.model} has ended (code {code}); its last words:\n{self.last_words}\n"
                f"  to do: try it on the node: scaffold serve --model {self.model}"
            )

    @property
    def last_words(self) -> str:
        """What it has told last."""
        return "\n".join(self._lines) or "(none)"

    def stop(self, seconds: float) -> None:
        """Ends it; answers at hand have so many seconds."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

"""The process of an engine: it is there when it answers, tells why it is not, and goes with whoever has started it."""

from __future__ import annotations

import os
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import run_python, stands_on

stands_on("ray")

from scaffold_llm import UnavailableError
from scaffold_llm.ray.process import Process


def is_alive(pid: int) -> bool:
    # One that nobody has waited for is no process any more.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_it_is_ready_when_it_is_there(models: Path) -> None:
    process = Process(str(models / "chat"), 1, {"SCAFFOLD_CONTEXT": "512"}, 60)
    try:
        assert process.is_ready()
        process.check()
        with urllib.request.urlopen(f"{process.address}/v1/models", timeout=10) as answer:
            assert str(models / "chat") in answer.read().decode()
    finally:
        process.stop(10)
    assert not process.is_ready()
    with pytest.raises(UnavailableError, match="has ended"):
        process.check()
    # A second time there is nothing to do.
    process.stop(10)


def test_its_last_words_say_why_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="(?s)has ended.*neither a config.json.*scaffold serve --model"):
        Process(str(tmp_path), 1, {}, 60)
    with pytest.raises(UnavailableError, match="(?s)has ended.*SCAFFOLD_CONTEXT"):
        Process(str(tmp_path), 1, {"SCAFFOLD_CONTEXT": "much"}, 60)


def test_it_goes_with_whoever_has_started_it(models: Path) -> None:
    code = """
import os, sys
from scaffold_llm.ray.process import Process
process = Process(sys.argv[1], 1, {}, 60)
print(process._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    ran = run_python(code, str(models / "chat"))
    assert ran.returncode == -9, ran.stderr
    pid = int(ran.stdout)
    assert pid != os.getpid() and ended(pid, 20)

"""A short soak; `soak.py` is the long one."""

from __future__ import annotations

import sys

import pytest
from conftest import run_python


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_and_nothing_is_held() -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import soak
found = soak.run(1500)
assert found.done + found.cancelled == 1500 and found.cancelled > 100, found
assert found.held == 0, found
assert found.growth < 16, found
"""
    from pathlib import Path

    ran = run_python(code, str(Path(__file__).parent), timeout=280)
    assert ran.returncode == 0, ran.stderr

"""The examples of the page on Python, run as they stand there, one after the other."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
from conftest import without

from scaffold_llm import LLM, Embedder

PAGE = Path(__file__).parents[3] / "docs" / "python.md"


@pytest.mark.starter
@pytest.mark.skipif(not PAGE.exists(), reason="the page lies in the repository")
def test_every_example_of_the_page_runs(starter: LLM, capsys, monkeypatch) -> None:
    pytest.importorskip("pydantic")
    try:
        Embedder("all-minilm").close()
    except OSError as error:
        without(f"all-minilm cannot be had: {error}")
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 10
    page = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", page)
    for block in blocks:
        # Lines of a failure are those of the page.
        line = text[: text.index(block)].count("\n")
        exec(compile("\n" * line + block, str(PAGE), "exec", dont_inherit=True), vars(page))
    assert "(2, 384) float32" in capsys.readouterr().out

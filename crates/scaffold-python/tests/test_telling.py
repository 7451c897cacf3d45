"""What is told: progress, and what goes to `logging`."""

from __future__ import annotations

import logging
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from scaffold_llm import LLM, UsageError
from scaffold_llm.progress import Bars


def test_a_function_hears_how_a_model_is_loaded(models: Path) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    with LLM(models / "chat", threads=1, progress=lambda event, facts: heard.append((event, facts))):
        pass
    last = [facts for event, facts in heard if event == "loaded"][-1]
    assert last["bytes"] >= last["of"] > 0


def test_what_such_a_function_raises_ends_the_load(models: Path) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today"):
        LLM(models / "chat", progress=refuse)


class Bar:
    """What is used of tqdm."""

    made: list[Bar] = []

    def __init__(self, items: Any = None, *, total: int, desc: str = "", **_: object) -> None:
        self.items, self.total, self.desc, self.n, self.closed = items, total, desc, 0, False
        Bar.made.append(self)

    def __iter__(self) -> Any:
        for item in self.items:
            self.n += 1
            yield item

    def update(self, by: int) -> None:
        self.n += by

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bars(monkeypatch) -> list[Bar]:
    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    Bar.made = []
    return Bar.made


def test_a_bar_shows_what_is_loaded_and_answered(models: Path, bars: list[Bar]) -> None:
    with LLM(models / "chat", threads=1, progress=True) as llm:
        assert [(bar.desc, bar.n >= bar.total, bar.closed) for bar in bars] == [("loading", True, True)]
        llm.generate(["a", "b", "c"], max_new_tokens=1, progress=True)
    assert bars[1].n == bars[1].total == 3


def test_a_bar_follows_files_that_begin_again(bars: list[Bar]) -> None:
    heard = Bars(Bar)
    for event, facts in (
        ("planned", {"files": 2, "bytes": 100, "present": 0}),
        ("started", {"file": "a", "size": 60, "resumed": 10}),
        ("bytes", {"file": "a", "count": 50}),
        ("restarted", {"file": "a", "reason": "changed"}),
        ("bytes", {"file": "a", "count": 60}),
        ("started", {"file": "b", "size": 40, "resumed": 0}),
        ("bytes", {"file": "b", "count": 40}),
    ):
        heard(event, facts)
    assert (bars[0].n, bars[0].total, bars[0].closed) == (100, 100, False)
    heard.close()
    assert bars[0].closed


def test_without_tqdm_a_bar_that_is_wanted_is_an_error(models: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(UsageError, match=r"scaffold-llm\[progress\]"):
        LLM(models / "chat", progress=True)


def test_the_logger_hears_what_was_done_and_no_words(models: Path, caplog) -> None:
    with caplog.at_level(logging.INFO, "scaffold_llm"), LLM(models / "chat", threads=1) as llm:
        llm.generate("a secret question", max_new_tokens=2)
        end = time.monotonic() + 10
        while "answered" not in caplog.text:
            assert time.monotonic() < end, caplog.text
            time.sleep(0.01)
    assert "loaded" in caplog.text and "completion_tokens=" in caplog.text
    assert "secret" not in caplog.text


def test_an_answer_that_was_cut_off_is_told_where_it_is_text_alone(llm: LLM, caplog) -> None:
    with caplog.at_level(logging.WARNING, "scaffold_llm"):
        llm.generate_response("x", max_new_tokens=2, ignore_eos=True)
    assert "cut off after 2 new tokens" in caplog.text


def test_a_handler_that_is_slow_delays_no_answer(models: Path) -> None:
    class Slow(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            time.sleep(0.5)

    logger, handler = logging.getLogger("scaffold_llm"), Slow()
    with LLM(models / "chat", threads=1) as llm:
        logger.addHandler(handler)
        before = logger.level
        logger.setLevel(logging.INFO)
        try:
            began = time.monotonic()
            for _ in range(20):
                llm.generate("x", max_new_tokens=1)
            # Twenty lines of half a second are told meanwhile or later.
            assert time.monotonic() - began < 5
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)

"""How a model comes, for somebody who looks: bars of ``tqdm``, in terminals and notebooks alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import usage

if TYPE_CHECKING:
    Listener = Callable[[str, dict[str, Any]], object]

T = TypeVar("T")


def listener_of(progress: bool | Listener | None) -> Listener | None:
    """Who hears how a model is fetched and loaded."""
    if callable(progress):
        return progress
    if progress is False or progress is None and not _is_seen():
        return None
    bar = _bar(is_wanted=progress is True)
    return None if bar is None else Bars(bar)


def counted(items: Iterable[T], total: int, progress: bool) -> Iterable[T]:
    """The items, with a bar that counts them where one is asked for."""
    if not progress:
        return items
    bar: Iterable[T] = _bar(is_wanted=True)(items, total=total, unit="answers")
    return bar


def _is_seen() -> bool:
    return "ipykernel" in sys.modules or sys.stderr is not None and sys.stderr.isatty()


def _bar(is_wanted: bool) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if is_wanted:
            raise usage("progress=True shows bars of tqdm, which is not installed", "progress", "pip install 'scaffold-llm[progress]'") from None
        return None
    return tqdm


class Bars:
    """A bar for what is fetched, then one for what is loaded."""

    def __init__(self, bar: Any) -> None:
        self._new = bar
        self._bar: Any = None
        self._stage = ""
        # Bytes of each file, which may begin again.
        self._files: dict[str, int] = {}

    def __call__(self, event: str, facts: dict[str, Any]) -> None:
        """Hears an event."""
        if event == "planned" and facts["files"]:
            self._open("fetching", facts["bytes"])
        elif event in ("started", "restarted"):
            self._set(facts["file"], facts.get("resumed", 0))
        elif event == "bytes":
            self._set(facts["file"], self._files.get(facts["file"], 0) + facts["count"])
        elif event == "loaded":
            self._open("loading", facts["of"])
            self._move(facts["bytes"])
            if facts["bytes"] >= facts["of"]:
                self.close()

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, stage: str, total: int) -> None:
        if self._stage != stage:
            self.close()
            self._stage = stage
            self._bar = self._new(total=total, desc=stage, unit="B", unit_scale=True, leave=False)

    def _set(self, file: str, count: int) -> None:
        self._files[file] = count
        self._move(sum(self._files.values()))

    def _move(self, count: int) -> None:
        if self._bar is not None:
            self._bar.update(count - self._bar.n)

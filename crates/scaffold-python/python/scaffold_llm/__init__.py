"""Run Hugging Face models inside your own process.

The classes: :class:`LLM` (a model that answers), :class:`AsyncLLM` (the same for asyncio), :class:`Embedder` (texts to vectors),
:class:`CrossEncoder` (rankings), :class:`Registry` (several models under one limit of memory), and :class:`ScaffoldError` with its
children.

::

    from scaffold_llm import LLM

    llm = LLM("starter")
    print(llm.generate("What is sustainability?"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._native import version as _version
    from .answers import Answer, Call, Candidate, Logprob, Piece, Score, Timings, Usage
    from .async_llm import AsyncLLM, AsyncStream
    from .cross_encoder import CrossEncoder, Ranked
    from .embedder import Cut, Embedder, Embeddings
    from .errors import (
        BusyError,
        CancelledError,
        DamagedError,
        InternalError,
        NotFoundError,
        RefusedError,
        ScaffoldError,
        TooLargeError,
        UnavailableError,
        UnsupportedError,
        UsageError,
    )
    from .llm import LLM
    from .options import ChatOptions, GenerateOptions, LoadOptions, Settings
    from .pipelines import pipeline
    from .registry import Registry
    from .streams import Stream

    __version__: str = _version()

# Where each name is defined: imported when it is first asked for, so that the command starts at once, and who embeds nothing loads no NumPy.
_HOMES = {
    "answers": ("Answer", "Call", "Candidate", "Logprob", "Piece", "Score", "Timings", "Usage"),
    "async_llm": ("AsyncLLM", "AsyncStream"),
    "cross_encoder": ("CrossEncoder", "Ranked"),
    "embedder": ("Cut", "Embedder", "Embeddings"),
    "errors": (
        "BusyError",
        "CancelledError",
        "DamagedError",
        "InternalError",
        "NotFoundError",
        "RefusedError",
        "ScaffoldError",
        "TooLargeError",
        "UnavailableError",
        "UnsupportedError",
        "UsageError",
    ),
    "llm": ("LLM",),
    "options": ("ChatOptions", "GenerateOptions", "LoadOptions", "Settings"),
    "pipelines": ("pipeline",),
    "registry": ("Registry",),
    "streams": ("Stream",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "LLM",
    "Answer",
    "AsyncLLM",
    "AsyncStream",
    "BusyError",
    "Call",
    "CancelledError",
    "Candidate",
    "ChatOptions",
    "CrossEncoder",
    "Cut",
    "DamagedError",
    "Embedder",
    "Embeddings",
    "GenerateOptions",
    "InternalError",
    "LoadOptions",
    "Logprob",
    "NotFoundError",
    "Piece",
    "Ranked",
    "RefusedError",
    "Registry",
    "ScaffoldError",
    "Score",
    "Settings",
    "Stream",
    "Timings",
    "TooLargeError",
    "UnavailableError",
    "UnsupportedError",
    "Usage",
    "UsageError",
    "__version__",
    "pipeline",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from ._native import version

        return version()
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

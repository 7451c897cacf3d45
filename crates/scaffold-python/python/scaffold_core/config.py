"""The settings, by the names that they have in the environment.

Reading one gives the value that is in force: of the environment, ``.env`` or ``scaffold.toml`` in the current directory, or the default.
Setting one (``config.LLM_MODEL = "…"``) rules over all of those for every :class:`LLMManager` that is made afterwards.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from scaffold_llm import _native

if TYPE_CHECKING:
    LLM_MODEL: str
    """The model that answers: a repository, a directory, a file or an alias."""
    LLM_MAX_LENGTH: int
    """New tokens in an answer, at most."""
    LLM_TEMPERATURE: float
    """How far the choice of tokens is spread; 0 always takes the likeliest."""
    LLM_DO_SAMPLE: bool
    """Whether tokens are drawn at random."""
    LLM_TOP_P: float
    """The share of probability that a token is drawn from; 1 is off."""
    LLM_TOP_K: int
    """How many of the likeliest tokens one is drawn from; 0 is off."""
    LLM_DEVICE: str
    """``auto`` or ``cpu``."""
    LLM_TORCH_DTYPE: str
    """``auto``, ``float16``, ``bfloat16``, ``float32`` or ``int8``."""
    LLM_USE_FAST_TOKENIZER: bool
    """Whether ``tokenizer.json`` is read before ``tokenizer.model``."""

NAMES = (
    "LLM_MODEL",
    "LLM_MAX_LENGTH",
    "LLM_TEMPERATURE",
    "LLM_DO_SAMPLE",
    "LLM_TOP_P",
    "LLM_TOP_K",
    "LLM_DEVICE",
    "LLM_TORCH_DTYPE",
    "LLM_USE_FAST_TOKENIZER",
)


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value, _ = _native.settings([])[name]
    return value


def said() -> dict[str, str]:
    """What the program has set here, as text."""
    own = vars(sys.modules[__name__])
    return {name: str(own[name]) for name in NAMES if name in own}


def __dir__() -> list[str]:
    return sorted({*globals(), *NAMES})

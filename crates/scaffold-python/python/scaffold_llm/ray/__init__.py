"""Scaffold on several machines, by Ray: models behind OpenAI's interface (Ray Serve), and rows of data sets (Ray Data).

``app`` makes an application of Ray Serve: ``serve run scaffold_llm.ray:app model=starter``. ``embed``, ``generate`` and ``rerank`` put a
column beside the others of a data set, and ``Job`` does the same from files to files in a way that can be taken up again.
``docs/ray.md`` has all of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..extras import need

need("ray", "ray", "pydantic")

if TYPE_CHECKING:
    from .application import app
    from .data import embed, generate, rerank
    from .jobs import Job, Ran
    from .models import Served
    from .stages import EmbedStage, GenerateStage, RerankStage

# Who serves loads nothing of Ray Data, and the other way round.
_HOMES = {
    "app": "application",
    "embed": "data",
    "generate": "data",
    "rerank": "data",
    "Job": "jobs",
    "Ran": "jobs",
    "Served": "models",
    "EmbedStage": "stages",
    "GenerateStage": "stages",
    "RerankStage": "stages",
}

__all__ = ["EmbedStage", "GenerateStage", "Job", "Ran", "RerankStage", "Served", "app", "embed", "generate", "rerank"]


def __getattr__(name: str) -> Any:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value

"""The model that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffold_llm import LLM

from . import config

if TYPE_CHECKING:
    import os

    from scaffold_llm import LoadOptions
    from typing_extensions import Unpack


class LLMManager(LLM):
    """A language model by the settings of :mod:`scaffold_core.config`.

    ::

        llm_manager = LLMManager()
        print(llm_manager.generate_response("What is sustainability?"))

    Args:
        model: another model than ``LLM_MODEL``.
        options: how it is loaded, as for :class:`scaffold_llm.LLM`.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None, **options: Unpack[LoadOptions]) -> None:
        options["settings"] = {**config.said(), **(options.get("settings") or {})}
        super().__init__(model, **options)

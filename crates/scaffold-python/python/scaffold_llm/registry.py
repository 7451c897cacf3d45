"""Several models in one process, under one limit of memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _native
from .cross_encoder import CrossEncoder
from .embedder import Embedder
from .errors import usage
from .handles import Handle
from .llm import LLM
from .options import check_known, settings, written

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .options import Settings

H = TypeVar("H", bound=Handle)


class Registry:
    """Several models: language models, embedders and cross-encoders. It loads what is asked for, and lets go of what nobody uses.

    A handle that it gives says that somebody uses the model: close it, or let go of it, when you are done. By whatever name a model
    is asked for, there is one copy of it.

    Args:
        memory: bytes for all models together; otherwise what is available.
        keep_alive: seconds that a model stays when nobody uses it: 300. Below 0: until its room is needed.
        max_loaded: models in memory at once, at most.
        max_sequences: answers of one model that are computed together at most: 8.
        said: settings over those of the environment.

    ::

        with Registry(memory=16 << 30) as models:
            with models.llm("starter") as llm:
                print(llm.generate("What is sustainability?"))
    """

    def __init__(
        self,
        *,
        memory: int | None = None,
        keep_alive: float | None = None,
        max_loaded: int | None = None,
        max_sequences: int | None = None,
        **said: Unpack[Settings],
    ) -> None:
        from .options import Settings as Known

        check_known(said, Known.__annotations__, "Registry")
        keeping = {
            "memory": memory,
            "keep_alive": keep_alive,
            "max_loaded": max_loaded,
            "max_sequences": max_sequences,
        }
        if memory is not None and memory < 1:
            raise usage(f"memory is {memory}\n  accepted: bytes, 1 or more", "memory")
        self._registry = _native.open_registry(settings(said), written(keeping, "options"))

    def llm(self, name: str, *, keep_alive: float | None = None, wait: float | None = None) -> LLM:
        """A model that answers.

        Args:
            name: as for :class:`LLM`.
            keep_alive: seconds that it stays when nobody uses it, from now on.
            wait: seconds to wait for it at most, also for models that are in use and whose room is needed.

        Raises:
            UnavailableError: it has no room beside those that are in use.
        """
        return _held(LLM, self._registry.model(name, _asking(keep_alive, wait)), name)

    def embedder(self, name: str, *, keep_alive: float | None = None, wait: float | None = None) -> Embedder:
        """A model that embeds; otherwise as :meth:`llm`."""
        return _held(Embedder, self._registry.embedder(name, _asking(keep_alive, wait)), name)

    def cross_encoder(self, name: str, *, keep_alive: float | None = None, wait: float | None = None) -> CrossEncoder:
        """A model that ranks; otherwise as :meth:`llm`."""
        return _held(CrossEncoder, self._registry.cross_encoder(name, _asking(keep_alive, wait)), name)

    def pin(self, name: str) -> None:
        """The model stays in memory once it is there: it makes no room for others, and its time is never over."""
        self._registry.pin(name, True)

    def unpin(self, name: str) -> None:
        """The model may go again."""
        self._registry.pin(name, False)

    def unload(self, name: str, *, timeout: float = 10.0) -> bool:
        """Gives the model to nobody any more, and waits so many seconds for those who use it; whether they were done."""
        return self._registry.unload(name, timeout)

    @property
    def models(self) -> list[dict[str, Any]]:
        """The models that are loaded, come, go, or could not be loaded lately, each with how far it is (``stage``)."""
        return cast("list[dict[str, Any]]", json.loads(self._registry.models()))

    @property
    def metrics(self) -> dict[str, Any]:
        """What was done until now, and what is held."""
        return cast("dict[str, Any]", json.loads(self._registry.metrics()))

    def shutdown(self, *, timeout: float = 10.0) -> bool:
        """Takes no more requests and unloads all, waiting so many seconds; whether everybody was done."""
        done = self._registry.shutdown(timeout)
        self._registry.close()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def __reduce__(self) -> tuple[Any, ...]:
        raise usage("a registry cannot be pickled, as its models are this process's own", None, "make one there")


def _asking(keep_alive: float | None, wait: float | None) -> str:
    return written({"keep_alive": keep_alive, "wait": wait}, "options")


def _held(cls: type[H], model: Any, name: str) -> H:
    handle = cls.__new__(cls)
    handle._name = name
    handle._options = {"registry": True}
    handle._hold(model)
    return handle

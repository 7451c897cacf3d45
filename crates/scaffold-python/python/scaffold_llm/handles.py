"""What all handles of models have in common."""

from __future__ import annotations

import atexit
import json
import logging
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from .errors import ScaffoldError, usage
from .options import loading
from .progress import Bars, listener_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

logger = logging.getLogger("scaffold_llm")
"""Where everything is told: models that were loaded, answers that have ended (never a word of theirs), notices."""


class _Native(Protocol):
    def info(self) -> str: ...
    def notices(self) -> list[tuple[str, str]]: ...
    def metrics(self) -> str: ...
    def close(self) -> None: ...


N = TypeVar("N", bound=_Native)
_Load = Callable[[str | None, list[tuple[str, str]], str, Any], N]

# Models that are to be ended before Python is.
_open: weakref.WeakSet[Handle] = weakref.WeakSet()
_process = os.getpid()


class Handle:
    """A model in memory.

    A handle is used from any number of threads, and not in a process that was forked: that is refused. Pickled (for
    ``multiprocessing`` by spawn, or Ray) it is a name with its options, by which the other process loads the model for itself; the
    packed weights on disk are then shared by both. An access token does not travel: set ``HF_TOKEN`` there.
    """

    _model: Any
    _name: str | None
    _options: Mapping[str, Any]

    def _load(self, load: _Load[N], name: str | os.PathLike[str] | None, options: Mapping[str, Any]) -> N:
        """Loads a model, and keeps what it takes to load it again."""
        self._name = None if name is None else os.fspath(name)
        self._options = dict(options)
        said, rest = loading(options, type(self).__name__)
        listener = listener_of(options.get("progress"))
        try:
            model = load(self._name, said, rest, listener)
        finally:
            if isinstance(listener, Bars):
                listener.close()
        self._hold(model)
        for topic, text in model.notices():
            logger.log(logging.DEBUG if topic == "Device" else logging.INFO, "%s", text)
        return model

    def _hold(self, model: _Native) -> None:
        self._model = model
        _open.add(self)

    @property
    def info(self) -> dict[str, Any]:
        """What the model is and what it takes: its name, its files, numbers of its size."""
        return cast("dict[str, Any]", json.loads(self._model.info()))

    @property
    def name(self) -> str:
        """The model's name, in its full form."""
        return cast("str", self.info["name"])

    @property
    def notices(self) -> list[str]:
        """What was done in another way than might be expected, such as a fallback."""
        return [text for _, text in self._model.notices()]

    @property
    def metrics(self) -> dict[str, Any]:
        """What was done since the model was loaded: requests by how they ended, tokens, and histograms of seconds: ``count``, ``sum``, and
        ``counts`` of those not above each of ``bounds``, of which the last has what is above all."""
        return cast("dict[str, Any]", json.loads(self._model.metrics()))

    def close(self) -> None:
        """Lets go of the model. Its memory is free when nobody else holds it; answers that are being computed come to their end."""
        self._model.close()
        _open.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # One model in memory has one handle or several, never two copies of its weights.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self._options.get("registry"):
            raise usage(
                "a model of a registry cannot be pickled, as the registry is this process's own",
                None,
                "load it there by its name",
            )
        left_out = ("token", "progress")
        options = {key: value for key, value in self._options.items() if key not in left_out}
        return (_again, (type(self), self._name, options))

    def __repr__(self) -> str:
        try:
            return f"{type(self).__name__}({self.name!r})"
        except ScaffoldError:
            return f"<{type(self).__name__}, closed or of another process>"

    def _finish(self) -> None:
        """What is to be done before Python ends."""
        self.close()


def _again(cls: Callable[..., Handle], name: str | None, options: Mapping[str, Any]) -> Handle:
    """The handle in another process."""
    return cls(name, **options)


@atexit.register
def _finish_all() -> None:
    # Of a forked process they are another's.
    if os.getpid() == _process:
        for handle in list(_open):
            try:
                handle._finish()
            except ScaffoldError as error:
                logger.warning("%s", error)

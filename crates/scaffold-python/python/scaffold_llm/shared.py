"""Models that several objects of one process use: one copy in memory, for as long as one of them lives.

Components of other libraries name a model and are made by the dozen, copied and taken apart again; a model of its own for each of
them would fill the memory.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .handles import Handle
from .options import written

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

H = TypeVar("H", bound=Handle)

_lock = threading.RLock()
_models: weakref.WeakValueDictionary[tuple[Any, ...], Handle] = weakref.WeakValueDictionary()


def shared(of: Callable[..., H], model: str | os.PathLike[str] | H | None, options: Mapping[str, Any] | None = None) -> H:
    """The model of this name and these options, loaded unless it is in memory. A handle is taken as it is.

    Whoever asks keeps what it gets: the model goes with the last who does.
    """
    if isinstance(model, Handle):
        return model
    said = {name: value for name, value in (options or {}).items() if value is not None}
    listener = said.pop("progress", None)
    name = None if model is None else str(model)
    key = (of, name, written(dict(sorted(said.items())), "options"))
    # One is loaded at a time: whoever asks for the same model meanwhile gets the same copy.
    with _lock:
        found = _models.get(key)
        if found is None:
            found = _models[key] = of(name, **said, progress=listener)
        return cast("H", found)

"""Texts to vectors, as ``sentence-transformers`` computes them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import _native
from .errors import usage
from .handles import Handle, logger
from .options import check_known, written

if TYPE_CHECKING:
    import os
    from typing import Literal

    from numpy.typing import NDArray
    from typing_extensions import Self, Unpack

    from .options import LoadOptions

_SMALLEST = 1e-12
"""Below this a vector has no direction."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A text of which something was cut off."""

    index: int
    """Its place among the texts, from 0."""
    tokens: int
    """Tokens that it has."""
    kept: int
    """Tokens that were computed."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The embeddings of some texts."""

    values: NDArray[np.float32]
    """``[texts, dimensions]``, in the order of the texts; the memory that the library computed them in."""
    tokens: int
    """Tokens that were computed, with prompts and special tokens."""
    cut: tuple[Cut, ...]
    """The texts of which something was cut off."""


class Embedder(Handle):
    """A model that turns texts into vectors.

    Args:
        model: a repository, a directory or an alias, such as ``sentence-transformers/all-MiniLM-L6-v2``.
        options: how it is loaded: see :class:`LoadOptions`.

    An embedding does not depend on the texts that are computed with it, bit for bit. Calls from several threads share batches;
    Python's lock is free meanwhile, and Ctrl-C interrupts.

    ::

        embedder = Embedder("all-minilm")
        vectors = embedder.encode(["What is sustainability?", "How do we measure environmental impact?"])
        vectors.shape  # (2, 384)
    """

    _model: _native.Embedder

    def __init__(self, model: str | os.PathLike[str], **options: Unpack[LoadOptions]) -> None:
        self._load(_native.load_embedder, model, options)

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str], **options: Unpack[LoadOptions]) -> Self:
        """As the class itself."""
        return cls(model, **options)

    def embed(
        self,
        texts: Sequence[str],
        *,
        prompt: str | None = None,
        prompt_name: str | None = None,
        query: bool = False,
        document: bool = False,
        truncate: bool = False,
        normalize: bool = False,
        dimensions: int | None = None,
        special_as_text: bool = False,
    ) -> Embeddings:
        """The embeddings of some texts, with what there is to know of them.

        Args:
            texts: any number of them.
            prompt: put before each text; an empty one for none. Otherwise the model's default prompt is.
            prompt_name: the model's prompt of this name.
            query: the model's prompt for what is looked for.
            document: the model's prompt for what is found.
            truncate: cut texts that are too long, and report it; otherwise they are an error.
            normalize: scale every embedding to length 1, also where the model does not.
            dimensions: keep the first so many numbers (for models that were trained for it).
            special_as_text: what looks like a special token in a text (``[SEP]``) is text: for texts of strangers.

        Raises:
            TooLargeError: a text is too long (:attr:`ScaffoldError.item` says which).
        """
        if isinstance(texts, str):
            raise usage("texts is one text, and its letters would be embedded: put it into a list", "texts")
        how = {
            "prompt": _prompt(prompt, prompt_name, query, document),
            "truncate": truncate,
            "normalize": normalize,
            "dimensions": dimensions,
            "special_as_text": special_as_text,
        }
        values, tokens, cut = self._model.embed(list(texts), written(how, "options"))
        return Embeddings(values, tokens, tuple(Cut(*one) for one in cut))

    # As `sentence_transformers.SentenceTransformer` has it.

    @overload
    def encode(self, sentences: str, *, convert_to_tensor: Literal[False] = ..., **options: Any) -> NDArray[np.float32]: ...
    @overload
    def encode(self, sentences: Sequence[str], *, convert_to_tensor: Literal[False] = ..., **options: Any) -> NDArray[np.float32]: ...
    @overload
    def encode(self, sentences: str | Sequence[str], *, convert_to_tensor: bool, **options: Any) -> Any: ...
    def encode(self, sentences: str | Sequence[str], **options: Any) -> Any:
        """Embeddings, by the arguments of ``SentenceTransformer.encode``: ``[dimensions]`` for a text, ``[texts, dimensions]`` for
        several, of ``float32``.

        ``prompt_name``, ``prompt``, ``normalize_embeddings``, ``truncate_dim``, ``convert_to_numpy`` and ``convert_to_tensor`` mean what
        they mean there. A text that is too long is cut, as there; a warning of the logger ``scaffold_llm`` says how many were.
        ``batch_size``, ``show_progress_bar`` and ``device`` change nothing. What is not done here is refused: another
        ``output_value`` than ``sentence_embedding``, another ``precision`` than ``float32``, a pool of processes.
        """
        return self._encoded(sentences, options)

    def encode_query(self, sentences: str | Sequence[str], **options: Any) -> Any:
        """As :meth:`encode`, with the model's prompt for queries."""
        return self._encoded(sentences, options, query=True)

    def encode_document(self, sentences: str | Sequence[str], **options: Any) -> Any:
        """As :meth:`encode`, with the model's prompt for documents."""
        return self._encoded(sentences, options, document=True)

    def _encoded(self, sentences: str | Sequence[str], options: dict[str, Any], **role: bool) -> Any:
        check_known(options, _ENCODE, "encode")
        for name, only in _ENCODE.items():
            value = options.get(name)
            if only is not None and value is not None and value not in only:
                raise usage(f"{name} is {value!r}, which is not done here\n  accepted: {', '.join(map(repr, only))}", name)
        texts = [sentences] if isinstance(sentences, str) else list(sentences)
        found = self.embed(
            texts,
            prompt=options.get("prompt"),
            prompt_name=options.get("prompt_name"),
            truncate=True,
            normalize=bool(options.get("normalize_embeddings")),
            dimensions=options.get("truncate_dim"),
            **role,
        )
        if found.cut:
            logger.warning("%s of %s texts are longer than %s tokens, and were cut", len(found.cut), len(texts), self.max_seq_length)
        values: Any = found.values
        if options.get("convert_to_tensor"):
            values = _tensor(values)
        if isinstance(sentences, str):
            return values[0]
        if options.get("convert_to_numpy") is False and not options.get("convert_to_tensor"):
            return list(values)
        return values

    def similarity(self, a: Any, b: Any) -> NDArray[np.float32]:
        """How alike each embedding of ``a`` is to each of ``b``, ``[a, b]``, by the model's own function; larger is more alike."""
        return _similarity(self.similarity_fn_name, _rows(a), _rows(b))

    def similarity_pairwise(self, a: Any, b: Any) -> NDArray[np.float32]:
        """How alike each embedding of ``a`` is to the one of ``b`` in its place."""
        first, second = _rows(a), _rows(b)
        if first.shape != second.shape:
            raise usage(f"{first.shape} and {second.shape} embeddings are no pairs: give as many of each, of the same dimensions", "b")
        name = self.similarity_fn_name
        pairs = [_similarity(name, one[None], other[None])[0, 0] for one, other in zip(first, second)]
        return np.array(pairs, dtype=np.float32)

    @property
    def similarity_fn_name(self) -> str:
        """``cosine``, ``dot``, ``euclidean`` or ``manhattan``."""
        return str(self.info["similarity"])

    @property
    def dimensions(self) -> int:
        """Numbers in an embedding."""
        return int(self.info["dimensions"])

    def get_sentence_embedding_dimension(self) -> int:
        """Numbers in an embedding."""
        return self.dimensions

    @property
    def max_seq_length(self) -> int | None:
        """Tokens that a text may have, with the special ones."""
        limit = self.info["max_tokens"]
        return None if limit is None else int(limit)

    @property
    def prompts(self) -> dict[str, str]:
        """The model's prompts by their names."""
        return dict(self.info["prompts"])

    def tokenize(self, text: str, *, truncate: bool = False) -> list[int]:
        """Token ids of a text as it is computed, with the special ones."""
        return self._model.token_ids(text, truncate)


# What `encode` takes; where only some values are taken, which.
_ENCODE: dict[str, tuple[Any, ...] | None] = {
    "prompt_name": None,
    "prompt": None,
    "batch_size": None,
    "show_progress_bar": None,
    "output_value": ("sentence_embedding",),
    "precision": ("float32",),
    "convert_to_numpy": None,
    "convert_to_tensor": None,
    "device": ("cpu",),
    "normalize_embeddings": None,
    "truncate_dim": None,
    "pool": (),
    "chunk_size": None,
}


def _prompt(prompt: str | None, name: str | None, query: bool, document: bool) -> Any:
    """Which text is put before each text, as the native module takes it. A text goes before a name, as in sentence-transformers."""
    if prompt is not None:
        return {"text": prompt} if prompt else "none"
    if name is not None:
        return {"named": name}
    return "query" if query else "document" if document else "default"


def _tensor(values: NDArray[np.float32]) -> Any:
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise usage("convert_to_tensor=True gives a tensor of PyTorch, which is not installed", "convert_to_tensor", "take the array") from None
    # The same memory.
    return torch.from_numpy(values)


def _rows(values: Any) -> NDArray[np.float32]:
    rows = np.asarray(values, dtype=np.float32)
    return rows[None] if rows.ndim == 1 else rows


def _similarity(name: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise usage(f"embeddings of the shapes {a.shape} and {b.shape} cannot be compared: they need the same dimensions", "b")
    if name in ("cosine", "dot"):
        found = a.astype(np.float64) @ b.astype(np.float64).T
        if name == "cosine":
            found /= np.maximum(np.linalg.norm(a, axis=1), _SMALLEST)[:, None]
            found /= np.maximum(np.linalg.norm(b, axis=1), _SMALLEST)[None]
    else:
        # A row at a time: all differences at once would be a third dimension.
        power = 1 if name == "manhattan" else 2
        found = np.stack([-np.linalg.norm(b - row, ord=power, axis=1) for row in a]) if len(a) else np.zeros((0, len(b)))
    return found.astype(np.float32)

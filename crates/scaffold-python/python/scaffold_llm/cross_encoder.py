"""Rankings, as ``sentence-transformers``' cross-encoders compute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _native
from .errors import usage
from .handles import Handle, logger
from .options import check_known, written

if TYPE_CHECKING:
    import os
    from typing import Literal

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self, Unpack

    from .options import LoadOptions


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text's place in a ranking."""

    index: int
    """Its place among the texts that were given, from 0."""
    score: float
    """Its score; larger is better. Scores of different queries are not to be compared."""


class CrossEncoder(Handle):
    """A model that scores how well a text answers a query.

    Args:
        model: a repository, a directory or an alias, such as ``cross-encoder/ms-marco-MiniLM-L-6-v2``.
        options: how it is loaded: see :class:`LoadOptions`.

    ::

        ranker = CrossEncoder("cross-encoder/ms-marco-MiniLM-L-6-v2")
        best = ranker.rerank("How many people live in Berlin?", texts, top=3)
    """

    _model: _native.CrossEncoder

    def __init__(self, model: str | os.PathLike[str], **options: Unpack[LoadOptions]) -> None:
        self._load(_native.load_cross_encoder, model, options)

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str], **options: Unpack[LoadOptions]) -> Self:
        """As the class itself."""
        return cls(model, **options)

    def scores(
        self,
        query: str,
        texts: Sequence[str],
        *,
        scale: Literal["configured", "logits", "sigmoid"] = "configured",
        prompt: str | None = None,
        truncate: bool = False,
        special_as_text: bool = False,
    ) -> NDArray[np.float32]:
        """The score of each text, ``[texts]``.

        Args:
            query: what is asked.
            texts: any number of them.
            scale: what scores are: as the model's configuration says, the head's own numbers, or between 0 and 1.
            prompt: put before the query; otherwise the model's default prompt is.
            truncate: cut pairs that are too long, the longer text first, and tell the logger; otherwise they are an error.
            special_as_text: what looks like a special token in a text is text.

        Raises:
            TooLargeError: a pair is too long.
            UnsupportedError: the model gives several numbers for a pair.
        """
        if isinstance(texts, str):
            raise usage("texts is one text, and its letters would be scored: put it into a list", "texts")
        how = _how(scale, prompt, truncate, special_as_text)
        found = self._model.scores(query, list(texts), how)
        return self._told(found, len(texts))

    def rerank(self, query: str, texts: Sequence[str], top: int | None = None, **options: Any) -> list[Ranked]:
        """The ``top`` best texts (all, if ``None``), best first; equals stay in their order. Options are those of :meth:`scores`."""
        scores = self.scores(query, texts, **options)
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        return [Ranked(index, float(scores[index])) for index in order[:top]]

    # As `sentence_transformers.CrossEncoder` has it.

    def predict(self, sentences: Sequence[Any], **options: Any) -> Any:
        """Scores, by the arguments of ``CrossEncoder.predict``: a number for a pair, ``[pairs]`` of ``float32`` for several.

        Pairs that are too long are cut, as there; a warning of the logger ``scaffold_llm`` says how many were. ``batch_size``,
        ``show_progress_bar`` change nothing; an ``activation_fn`` is known by its name (``Identity``, ``Sigmoid``).
        """
        check_known(options, _PREDICT, "predict")
        is_one = bool(sentences) and isinstance(sentences[0], str)
        pairs = [tuple(pair) for pair in ([sentences] if is_one else sentences)]
        for index, pair in enumerate(pairs):
            if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
                raise usage(f"pair {index} is {pair!r}: give a query and a text", "sentences")
        if options.get("apply_softmax"):
            raise usage("apply_softmax is for models with several numbers for a pair, which are not scored here", "apply_softmax")
        how = _how(_scale(options.get("activation_fn") or options.get("activation_fct")), options.get("prompt"), True, False)
        found: Any = self._told(self._model.score_pairs([(query, text) for query, text in pairs], how), len(pairs))
        if options.get("convert_to_tensor"):
            from .embedder import _tensor

            found = _tensor(found)
        return found[0] if is_one else found

    def rank(
        self, query: str, documents: Sequence[str], top_k: int | None = None, return_documents: bool = False, **options: Any
    ) -> list[dict[str, Any]]:
        """The best documents, by the arguments of ``CrossEncoder.rank``: ``corpus_id``, ``score``, and ``text`` where it is asked for."""
        scores = self.predict([(query, text) for text in documents], **options)
        order = sorted(range(len(documents)), key=lambda index: -float(scores[index]))
        ranked: list[dict[str, Any]] = []
        for index in order[:top_k]:
            one: dict[str, Any] = {"corpus_id": index, "score": scores[index]}
            if return_documents:
                one["text"] = documents[index]
            ranked.append(one)
        return ranked

    @property
    def max_length(self) -> int | None:
        """Tokens that a query and a text may have together, with the special ones."""
        limit = self.info["max_tokens"]
        return None if limit is None else int(limit)

    def _told(
        self, found: tuple[NDArray[np.float32], int, list[tuple[int, int, int]]], count: int
    ) -> NDArray[np.float32]:
        values, _, cut = found
        if cut:
            logger.warning("%s of %s pairs are longer than %s tokens, and were cut", len(cut), count, self.max_length)
        return values


_PREDICT = (
    "batch_size",
    "show_progress_bar",
    "activation_fn",
    "activation_fct",
    "apply_softmax",
    "convert_to_numpy",
    "convert_to_tensor",
    "prompt",
)


def _how(scale: str, prompt: str | None, truncate: bool, special_as_text: bool) -> str:
    prompted: Any = "default" if prompt is None else {"text": prompt} if prompt else "none"
    how = {"scale": scale, "prompt": prompted, "truncate": truncate, "special_as_text": special_as_text}
    return written(how, "options")


def _scale(activation: Any) -> str:
    """The scale that an activation of PyTorch is."""
    if activation is None:
        return "configured"
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)
    known = {"identity": "logits", "sigmoid": "sigmoid"}
    scale = known.get(str(name).rsplit(".", 1)[-1].lower())
    if scale is None:
        raise usage(f"activation_fn is {name}, which is not done here\n  accepted: Identity, Sigmoid", "activation_fn")
    return scale

"""What is done with rows: each stage puts a column beside the others, and gives for each row one row, in the same order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ..cross_encoder import CrossEncoder
from ..embedder import Embedder
from ..errors import ScaffoldError, UsageError, usage
from ..llm import LLM

OnError = Literal["raise", "keep"]


class Stage(ABC):
    """A stage: called with a table of Arrow it gives the table with its columns.

    Args:
        model: the model's name.
        load_options: how it is loaded: see :class:`scaffold_llm.LoadOptions`.
        output: the column that it puts beside the others.
        on_error: ``keep`` puts what a row fails with into the column ``error``, and leaves its other columns empty; ``raise`` ends with
            the first failure.

    A stage is pickled without its model, which is loaded by the actor that calls it first.
    """

    def __init__(self, model: str, load_options: Mapping[str, Any] | None, output: str, on_error: OnError) -> None:
        if on_error not in ("raise", "keep"):
            raise usage(f"on_error is {on_error!r}\n  accepted: raise, keep", "on_error")
        self.model = model
        self.load_options = dict(load_options or {})
        self.output = output
        self.on_error = on_error
        self._loaded: Any = None

    def loaded(self) -> Any:
        """The model in memory; it is loaded if it is not there."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": None}

    def described(self) -> dict[str, Any]:
        """All that its results depend on, as JSON has it."""
        said = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return {"stage": type(self).__name__, **said}

    def __call__(self, table: pa.Table) -> pa.Table:
        """The table with the stage's columns."""
        if table.num_rows == 0 and not set(self.columns) <= set(table.column_names):
            # A block without rows may have no columns either.
            return table
        for column in self.columns:
            if column not in table.column_names:
                raise usage(
                    f"the rows have no column {column!r}\n  accepted: {', '.join(table.column_names) or '(there are none)'}", column
                )
        values = [table.column(column).to_pylist() for column in self.columns]
        for name, column in self._columns(values, table.num_rows).items():
            place = table.schema.get_field_index(name)
            table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
        return table

    @property
    @abstractmethod
    def columns(self) -> Sequence[str]:
        """The columns that it reads."""

    @abstractmethod
    def _load(self) -> Any: ...

    @abstractmethod
    def _columns(self, values: list[list[Any]], count: int) -> dict[str, pa.Array]:
        """Its columns, of so many rows each."""

    def _failed(self, place: int, error: ScaffoldError, errors: list[str | None]) -> None:
        if self.on_error == "raise":
            raise error
        errors[place] = str(error)

    def _with_errors(self, columns: dict[str, pa.Array], errors: list[str | None]) -> dict[str, pa.Array]:
        if self.on_error == "keep":
            columns["error"] = pa.array(errors, pa.string())
        return columns


def _no_text(place: int, column: str, value: object) -> UsageError:
    return usage(f"row {place} of its batch has no text in the column {column!r}: {value!r}\n  accepted: text", column)


class EmbedStage(Stage):
    """Embeds a column of texts: ``float32[dimensions]`` for each row.

    Args:
        text: the column of texts.
        role: ``query`` or ``document`` takes the model's prompt for those.
        normalize, dimensions, truncate: as for :meth:`scaffold_llm.Embedder.embed`.
    """

    def __init__(
        self,
        model: str,
        *,
        text: str = "text",
        output: str = "embedding",
        role: Literal["query", "document"] | None = None,
        normalize: bool = False,
        dimensions: int | None = None,
        truncate: bool = True,
        load_options: Mapping[str, Any] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        super().__init__(model, load_options, output, on_error)
        if role not in (None, "query", "document"):
            raise usage(f"role is {role!r}\n  accepted: query, document", "role")
        self.text = text
        self.how = {"normalize": normalize, "dimensions": dimensions, "truncate": truncate}
        self.role = role

    @property
    def columns(self) -> Sequence[str]:
        return (self.text,)

    def _load(self) -> Embedder:
        return Embedder(self.model, **self.load_options, progress=False)

    def _columns(self, values: list[list[Any]], count: int) -> dict[str, pa.Array]:
        embedder: Embedder = self.loaded()
        errors: list[str | None] = [None] * count
        left = [place for place in range(count) if self._is_text(place, values[0][place], errors)]
        found = np.zeros((count, self.how["dimensions"] or embedder.dimensions), np.float32)
        while left:
            try:
                done = self._embedded(embedder, [values[0][place] for place in left])
            except ScaffoldError as error:
                if error.item is None:
                    raise
                # One of the texts cannot be embedded; the others are none the worse.
                self._failed(left[error.item], error, errors)
                del left[error.item]
                continue
            found[left] = done
            break
        flat = pa.array(found.reshape(-1), pa.float32())
        missing = pa.array([error is not None for error in errors], pa.bool_())
        column = pa.FixedSizeListArray.from_arrays(flat, found.shape[1], mask=missing)
        return self._with_errors({self.output: column}, errors)

    def _is_text(self, place: int, value: object, errors: list[str | None]) -> bool:
        if isinstance(value, str):
            return True
        self._failed(place, _no_text(place, self.text, value), errors)
        return False

    def _embedded(self, embedder: Embedder, texts: list[str]) -> Any:
        how: dict[str, Any] = {**self.how, **({self.role: True} if self.role else {})}
        return embedder.embed(texts, **how).values


class GenerateStage(Stage):
    """Answers a column of prompts, and puts texts and why each ended (``finish_reason``) beside them.

    Args:
        prompt: the column of prompts: texts, or chats (lists of ``{"role": …, "content": …}``).
        options: how answers are made: see :class:`scaffold_llm.GenerateOptions`, and ``schema``. With a ``seed``, or greedily, they do not
            depend on which replica makes them, and with which others.
    """

    def __init__(
        self,
        model: str,
        *,
        prompt: str = "prompt",
        output: str = "answer",
        load_options: Mapping[str, Any] | None = None,
        on_error: OnError = "raise",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, load_options, output, on_error)
        self.prompt = prompt
        self.options = dict(options or {})

    @property
    def columns(self) -> Sequence[str]:
        return (self.prompt,)

    def _load(self) -> LLM:
        return LLM(self.model, **self.load_options, progress=False)

    def _columns(self, values: list[list[Any]], count: int) -> dict[str, pa.Array]:
        llm: LLM = self.loaded()
        errors: list[str | None] = [None] * count
        chats: list[Any] = []
        places: list[int] = []
        for place, prompt in enumerate(values[0]):
            if isinstance(prompt, (str, list)) and prompt:
                chats.append(prompt if isinstance(prompt, str) else [_message(one) for one in prompt])
                places.append(place)
            else:
                self._failed(place, _no_text(place, self.prompt, prompt), errors)
        texts: list[str | None] = [None] * count
        ends: list[str | None] = [None] * count
        answers = llm.chats(chats, return_exceptions=self.on_error == "keep", **self.options)
        for place, answer in zip(places, answers):
            if isinstance(answer, ScaffoldError):
                errors[place] = str(answer)
            else:
                texts[place], ends[place] = answer.text, answer.finish_reason
        columns = {self.output: pa.array(texts, pa.string()), "finish_reason": pa.array(ends, pa.string())}
        return self._with_errors(columns, errors)


def _message(message: Any) -> Any:
    # Arrow gives every row all fields that any has.
    return {key: value for key, value in message.items() if value is not None} if isinstance(message, dict) else message


class RerankStage(Stage):
    """Scores how well a text, or each of a list of texts, answers a query: a number, or a list of them, for each row.

    Args:
        query: the column of queries.
        text: the column of texts, or of lists of texts.
    """

    def __init__(
        self,
        model: str,
        *,
        query: str = "query",
        text: str = "text",
        output: str = "score",
        truncate: bool = True,
        load_options: Mapping[str, Any] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        super().__init__(model, load_options, output, on_error)
        self.query = query
        self.text = text
        self.truncate = truncate

    @property
    def columns(self) -> Sequence[str]:
        return (self.query, self.text)

    def _load(self) -> CrossEncoder:
        return CrossEncoder(self.model, **self.load_options, progress=False)

    def _columns(self, values: list[list[Any]], count: int) -> dict[str, pa.Array]:
        errors: list[str | None] = [None] * count
        scores: list[Any] = [None] * count
        is_listed = any(isinstance(texts, list) for texts in values[1])
        for place, (query, texts) in enumerate(zip(*values)):
            try:
                scores[place] = self._scores(place, query, texts)
            except ScaffoldError as error:
                self._failed(place, error, errors)
        kind = pa.list_(pa.float32()) if is_listed else pa.float32()
        return self._with_errors({self.output: pa.array(scores, kind)}, errors)

    def _scores(self, place: int, query: Any, texts: Any) -> Any:
        if not isinstance(query, str):
            raise _no_text(place, self.query, query)
        listed = texts if isinstance(texts, list) else [texts]
        if not all(isinstance(text, str) for text in listed):
            raise _no_text(place, self.text, texts)
        ranker: CrossEncoder = self.loaded()
        found = ranker.scores(query, listed, truncate=self.truncate) if listed else np.zeros(0, np.float32)
        return found.tolist() if isinstance(texts, list) else float(found[0])

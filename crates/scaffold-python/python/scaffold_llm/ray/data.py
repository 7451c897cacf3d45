"""Stages over data sets of Ray Data.

Each takes a data set and gives one with a column more, for each row one row. Nothing is computed until the rows are asked for; then
as many batches are at work as the replicas can take, and what comes before is held back meanwhile. The order of rows is Ray's to
choose (``ray.data.DataContext.get_current().execution_options.preserve_order``).
"""

from __future__ import annotations

from typing import Any, Union

from ray.data import ActorPoolStrategy, Dataset

from ..errors import usage
from .stages import EmbedStage, GenerateStage, RerankStage, Stage

Replicas = Union[int, tuple[int, int]]
"""So many actors, or at least and at most so many."""


def embed(data: Dataset, model: str, *, replicas: Replicas = 1, cpus: int = 1, memory: int | None = None, batch: int = 256, **how: Any) -> Dataset:
    """Embeds a column of texts.

    ::

        data = embed(ray.data.read_parquet("texts"), "all-minilm", text="body", replicas=4, cpus=2)
        data.write_parquet("vectors")

    Args:
        data: any data set.
        model: a repository, a directory or an alias.
        replicas: actors, each of which has a model in memory.
        cpus: cores that each declares, and threads that it computes with.
        memory: bytes that each declares.
        batch: rows that an actor is given at once.
        how: see :class:`EmbedStage`.
    """
    return staged(data, EmbedStage(model, **how), replicas, cpus, memory, batch)


def generate(data: Dataset, model: str, *, replicas: Replicas = 1, cpus: int = 1, memory: int | None = None, batch: int = 64, **how: Any) -> Dataset:
    """Answers a column of prompts; otherwise as :func:`embed`. ``how`` is that of :class:`GenerateStage`."""
    return staged(data, GenerateStage(model, **how), replicas, cpus, memory, batch)


def rerank(data: Dataset, model: str, *, replicas: Replicas = 1, cpus: int = 1, memory: int | None = None, batch: int = 256, **how: Any) -> Dataset:
    """Scores a column of texts for a column of queries; otherwise as :func:`embed`. ``how`` is that of :class:`RerankStage`."""
    return staged(data, RerankStage(model, **how), replicas, cpus, memory, batch)


def staged(data: Dataset, stage: Stage, replicas: Replicas, cpus: int, memory: int | None, batch: int) -> Dataset:
    """A data set with what a stage puts beside its columns."""
    done: Dataset = data.map_batches(
        Work,
        fn_constructor_kwargs={"stage": with_threads(stage, cpus)},
        batch_size=batch,
        batch_format="pyarrow",
        zero_copy_batch=True,
        **placed(replicas, cpus, memory),
    )
    return done


class Work:
    """An actor's part: a stage whose model is loaded when the actor starts, before it is given rows."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.loaded()

    def __call__(self, rows: Any) -> Any:
        return self._stage(rows)


def with_threads(stage: Stage, cpus: int) -> Stage:
    """The stage with a model that computes with so many threads, unless it says otherwise."""
    stage.load_options.setdefault("threads", cpus)
    return stage


def placed(replicas: Replicas, cpus: int, memory: int | None) -> dict[str, Any]:
    """How many actors there are, and what each declares."""
    low, high = (replicas, replicas) if isinstance(replicas, int) else replicas
    if low < 1 or high < low:
        raise usage(f"replicas is {replicas!r}\n  accepted: 1 or more, or (at least, at most)", "replicas")
    if cpus < 1:
        raise usage(f"cpus is {cpus}\n  accepted: 1 or more", "cpus")
    options: dict[str, Any] = {"compute": ActorPoolStrategy(min_size=low, max_size=high), "num_cpus": cpus}
    return options if memory is None else {**options, "memory": memory}

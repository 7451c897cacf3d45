"""Jobs from files to files, which can be taken up again.

A job's input is cut into parts of a fixed number of rows. Each part becomes a file of its own in the output directory, which appears
when it is whole, under a name that says which part it is: so a part is there once or not at all, however often a worker goes in the
middle of it, and whoever starts the same job again has only the parts that are missing computed.
"""

from __future__ import annotations

import json
import os
import pickle
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import ray
from pyarrow import fs

from ..errors import ScaffoldError, usage
from .data import Replicas, placed, with_threads
from .parts import Part, parts_of
from .stages import Stage

_DESCRIPTION = "_job.json"


@dataclass(frozen=True)
class Ran:
    """What a job has done."""

    parts: int
    """Parts of the job."""
    rows: int
    """Rows of the job, which are those of its output."""
    found: int
    """Parts that were there already."""


@dataclass(frozen=True)
class Job:
    """A stage over files of Parquet or JSON lines.

    ::

        job = Job("texts", "vectors", EmbedStage("all-minilm"), replicas=4, cpus=2)
        print(job.run().rows)

    Args:
        source: a file or a directory, as a path or an address that Arrow knows (``s3://…``), for all nodes.
        target: the output directory, likewise. The files in it, ``part-000000.parquet``, …, have the rows in the order of the input.
        stage: what is done.
        rows: rows of a part.
        replicas: actors, each of which has a model in memory.
        cpus: cores that each declares, and threads that it computes with.
        memory: bytes that each declares.
    """

    source: str
    target: str
    stage: Stage
    rows: int = 512
    replicas: Replicas = 1
    cpus: int = 1
    memory: int | None = None

    def run(self) -> Ran:
        """Computes the parts that are missing.

        Raises:
            UsageError: the output directory has parts of another job.
            NotFoundError: there are no files to read.
        """
        if self.rows < 1:
            raise usage(f"rows is {self.rows}\n  accepted: 1 or more", "rows")
        source, path = _system(self.source)
        target, folder = _system(self.target)
        parts = parts_of(source, path, self.rows)
        _begin(target, folder, self._described(parts))
        there = _done(target, folder)
        missing = [part for part in parts if _name(part) not in there]
        ran = Ran(len(parts), sum(part.rows for part in parts), len(parts) - len(missing))
        if missing:
            self._compute(missing)
        lost = {_name(part) for part in parts} - _done(target, folder)
        if lost:
            raise RuntimeError(f"{len(lost)} parts were computed and are not there, such as {min(lost)} in {self.target}")
        return ran

    def _described(self, parts: list[Part]) -> dict[str, Any]:
        # The number of replicas and their threads change nothing, so that they may change.
        said = json.loads(json.dumps(self.stage.described(), default=str))
        said["load_options"].pop("threads", None)
        return {"stage": said, "rows": self.rows, "parts": [part.facts() for part in parts]}

    def _compute(self, missing: list[Part]) -> None:
        data = ray.data.from_items([part.facts() for part in missing], override_num_blocks=len(missing))
        done = data.map_batches(
            PartWork,
            fn_constructor_kwargs={"stage": with_threads(self.stage, self.cpus), "source": self.source, "target": self.target},
            batch_size=1,
            batch_format="pyarrow",
            **placed(self.replicas, self.cpus, self.memory),
        )
        batch: Any
        for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
            for failure in batch.column("failure").to_pylist():
                if failure is not None:
                    # What is at work ends with the data set, which nobody reads on.
                    raise pickle.loads(failure)


class PartWork:
    """An actor's part: reads a part's rows, does what the stage does, and writes the file.

    What the library refuses goes back as a row, since on Ray's own way little is left of it but a text.
    """

    def __init__(self, stage: Stage, source: str, target: str) -> None:
        self._stage = stage
        self._source, _ = _system(source)
        self._target, self._folder = _system(target)

    def __call__(self, parts: pa.Table) -> pa.Table:
        failures: list[bytes | None] = []
        for facts in parts.to_pylist():
            try:
                self._one(Part(**facts))
                failures.append(None)
            except ScaffoldError as error:
                failures.append(pickle.dumps(error))
        return parts.select(["number"]).append_column("failure", pa.array(failures, pa.binary()))

    def _one(self, part: Part) -> None:
        at = f"{self._folder}/{_name(part)}"
        # A worker that is lost after it has written a part is asked for it again.
        if self._target.get_file_info(at).type == fs.FileType.File:
            return
        done = self._stage(part.read(self._source))
        if done.num_rows != part.rows:
            raise RuntimeError(f"part {part.number} of {part.file} has {done.num_rows} rows instead of {part.rows}: has the file changed?")
        with _appearing(self._target, at) as stream:
            pyarrow.parquet.write_table(done, stream)


class _appearing:
    """A file that is there when it is whole."""

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self._system = system
        self._path = path
        self._hidden = f"{folder}/.{name}.{uuid.uuid4().hex}"

    def __enter__(self) -> Any:
        self._stream = self._system.open_output_stream(self._hidden)
        return self._stream

    def __exit__(self, kind: object, *_: object) -> None:
        self._stream.close()
        if kind is None:
            self._system.move(self._hidden, self._path)
        else:
            self._system.delete_file(self._hidden)


def _system(path: str) -> tuple[fs.FileSystem, str]:
    if "://" in path:
        system, inside = fs.FileSystem.from_uri(path)
        return system, inside
    return fs.LocalFileSystem(), os.path.abspath(path)


def _name(part: Part) -> str:
    return f"part-{part.number:06}.parquet"


def _done(system: fs.FileSystem, folder: str) -> set[str]:
    return {one.base_name for one in system.get_file_info(fs.FileSelector(folder)) if one.type == fs.FileType.File}


def _begin(system: fs.FileSystem, folder: str, described: Mapping[str, Any]) -> None:
    """Makes the output directory of a job, or finds that it is the same job's."""
    system.create_dir(folder, recursive=True)
    at = f"{folder}/{_DESCRIPTION}"
    if system.get_file_info(at).type == fs.FileType.File:
        with system.open_input_stream(at) as stream:
            before = json.loads(stream.readall())
        other = [key for key in described if before.get(key) != described[key]]
        if other:
            raise usage(
                f"{folder} has parts of a job that differs in {', '.join(other)} (see {_DESCRIPTION} there)",
                "target",
                "take another directory",
                "remove this one, if its rows are not needed any more",
            )
        return
    strangers = sorted(name for name in _done(system, folder) if not name.startswith("."))
    if strangers:
        raise usage(f"{folder} is not empty: it has {strangers[0]}, which is of no job", "target", "take another directory")
    with _appearing(system, at) as stream:
        stream.write(json.dumps(described, indent=1).encode())

"""The parts of a job: which rows of which file each has."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet
from pyarrow import fs

from ..errors import NotFoundError, usage

Form = Literal["parquet", "jsonl"]
_ENDINGS: dict[str, Form] = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


@dataclass(frozen=True)
class Part:
    """Rows of one file."""

    number: int
    """Its place among the parts of the job."""
    file: str
    """The file's path in its file system."""
    form: Form
    """How the file is written."""
    start: int
    """The first row (Parquet), or byte (JSON lines)."""
    length: int
    """Rows, or bytes."""
    rows: int
    """Rows."""

    def facts(self) -> dict[str, Any]:
        """The part as a row of a data set."""
        return asdict(self)

    def read(self, system: fs.FileSystem) -> pa.Table:
        """Its rows."""
        with system.open_input_file(self.file) as file:
            if self.form == "jsonl":
                return _lines(file.read_at(self.length, self.start), self.file)
            return _rows(pyarrow.parquet.ParquetFile(file), self.start, self.rows)


def _lines(text: bytes, file: str) -> pa.Table:
    # A row must not be split among blocks.
    options = pyarrow.json.ReadOptions(use_threads=False, block_size=max(len(text) + 1, 1 << 16))
    try:
        return pyarrow.json.read_json(io.BytesIO(text), read_options=options)
    except pa.ArrowInvalid as error:
        raise usage(f"{file} has a line that is no JSON object, or columns of different types: {error}", file) from error


def _rows(file: pyarrow.parquet.ParquetFile, start: int, rows: int) -> pa.Table:
    """Rows of a file, of which only the groups are read that have some of them."""
    groups: list[int] = []
    first, at = 0, 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if at + count > start and at < start + rows:
            if not groups:
                first = at
            groups.append(group)
        at += count
    return file.read_row_groups(groups).slice(start - first, rows)


def parts_of(system: fs.FileSystem, path: str, rows: int) -> list[Part]:
    """The parts of a file, or of all files of a directory, with so many rows each at most, in the order of names and rows."""
    found: list[Part] = []
    for file in _files(system, path):
        form = _form(file.path)
        cuts = _parquet(system, file.path, rows) if form == "parquet" else _jsonl(system, file.path, rows)
        found += [Part(len(found) + place, file.path, form, *cut) for place, cut in enumerate(list(cuts))]
    return found


def _files(system: fs.FileSystem, path: str) -> list[fs.FileInfo]:
    whole = system.get_file_info(path)
    if whole.type == fs.FileType.NotFound:
        raise NotFoundError(f"there is no {path}\n  to do: give a file or a directory of Parquet or JSON lines that all nodes can read")
    if whole.type == fs.FileType.File:
        return [whole]
    inside = system.get_file_info(fs.FileSelector(path, recursive=True))
    # What begins so is not for readers: files on their way, and marks of other programs.
    files = [one for one in inside if one.type == fs.FileType.File and not one.base_name.startswith((".", "_"))]
    known = [one for one in files if any(one.path.endswith(ending) for ending in _ENDINGS)]
    if not known:
        raise NotFoundError(f"{path} has no files of rows\n  accepted: {', '.join(_ENDINGS)}")
    return sorted(known, key=lambda one: one.path)


def _form(path: str) -> Form:
    for ending, form in _ENDINGS.items():
        if path.endswith(ending):
            return form
    raise usage(f"{path} is of no kind that is read here\n  accepted: {', '.join(_ENDINGS)}", path)


def _parquet(system: fs.FileSystem, path: str, rows: int) -> Iterator[tuple[int, int, int]]:
    with system.open_input_file(path) as file:
        whole = pyarrow.parquet.ParquetFile(file).metadata.num_rows
    for start in range(0, whole, rows):
        count = min(rows, whole - start)
        yield start, count, count


def _jsonl(system: fs.FileSystem, path: str, rows: int) -> Iterator[tuple[int, int, int]]:
    start, at, count = 0, 0, 0
    with system.open_input_stream(path) as stream, io.BufferedReader(stream) as lines:
        for line in lines:
            at += len(line)
            # An empty line is none of the rows.
            count += bool(line.strip())
            if count == rows:
                yield start, at - start, count
                start, count = at, 0
    if count:
        yield start, at - start, count

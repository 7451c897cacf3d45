"""Jobs from the command line: ``python -m scaffold_llm.ray embed texts vectors --model all-minilm``."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

import ray

from ..errors import ScaffoldError
from .data import Replicas
from .jobs import Job
from .stages import EmbedStage, GenerateStage, RerankStage, Stage

_COLUMNS = {"embed": ("text",), "generate": ("prompt",), "rerank": ("query", "text")}
_STAGES: dict[str, Any] = {"embed": EmbedStage, "generate": GenerateStage, "rerank": RerankStage}


def _replicas(text: str) -> Replicas:
    low, _, high = text.partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of replicas; accepted: 4, or 1-8 for at least and at most")
    return (int(low), int(high)) if high else int(low)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON object; accepted: such as {{\"max_new_tokens\": 50}}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scaffold_llm.ray", description="Jobs over rows of files, on a cluster of Ray.")
    jobs = parser.add_subparsers(dest="what", required=True, metavar="embed|generate|rerank")
    for what, columns in _COLUMNS.items():
        job = jobs.add_parser(what, help=f"{what} the rows of files; taken up where it was left")
        job.add_argument("source", help="a file or directory of Parquet or JSON lines")
        job.add_argument("target", help="the output directory")
        job.add_argument("--model", required=True, help="a repository, a directory or an alias")
        for column in columns:
            job.add_argument(f"--{column}", default=column, metavar="COLUMN", help=f"the column (default: {column})")
        job.add_argument("--output", metavar="COLUMN", help="the column that is put beside them")
        job.add_argument("--rows", type=int, default=512, help="rows of a part (default: 512)")
        job.add_argument("--replicas", type=_replicas, default=1, metavar="N|N-M", help="actors with a model each (default: 1)")
        job.add_argument("--cpus", type=int, default=1, help="cores of each (default: 1)")
        job.add_argument("--memory", type=int, help="bytes that each declares")
        job.add_argument("--on-error", choices=["raise", "keep"], default="raise", help="keep: the column `error` says what failed")
        job.add_argument("--address", help="the cluster (default: RAY_ADDRESS, or one of this machine)")
        if what == "generate":
            job.add_argument("--options", type=_object, default={}, metavar="JSON", help='such as {"max_new_tokens": 50, "seed": 1}')
    return parser


def _stage(said: argparse.Namespace) -> Stage:
    how = {column: getattr(said, column) for column in _COLUMNS[said.what]}
    if said.output:
        how["output"] = said.output
    if said.what == "generate":
        how["options"] = said.options
    stage: Stage = _STAGES[said.what](said.model, on_error=said.on_error, **how)
    return stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Does a job, and gives the exit code."""
    said = _parser().parse_args(arguments)
    ray.init(address=said.address, log_to_driver=True, logging_level=logging.WARNING)
    try:
        job = Job(said.source, said.target, _stage(said), said.rows, said.replicas, said.cpus, said.memory)
        ran = job.run()
    except ScaffoldError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        ray.shutdown()
    print(f"{ran.rows} rows in {ran.parts} parts, of which {ran.found} were there: {said.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

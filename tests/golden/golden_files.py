#!/usr/bin/env python3
"""How a golden lies on disk: its numbers in golden.safetensors, everything else in golden.json.

As a program: `golden_files.py DIR...` moves the float lists of each DIR/golden.json into DIR/golden.safetensors, as
float32, which is what they were computed in. Needs numpy and safetensors.
"""

import json
import sys
from pathlib import Path

import numpy
from safetensors.numpy import save_file


def _is_floats(value):
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, float)


def save(directory, golden):
    """Writes a golden, a dictionary of JSON values and float arrays, into a directory."""
    directory = Path(directory)
    arrays = {key: value for key, value in golden.items() if isinstance(value, numpy.ndarray) or _is_floats(value)}
    rest = {key: value for key, value in golden.items() if key not in arrays}
    if arrays:
        arrays = {key: numpy.ascontiguousarray(value, dtype=numpy.float32) for key, value in arrays.items()}
        save_file(arrays, directory / "golden.safetensors")
    (directory / "golden.json").write_text(json.dumps(rest) + "\n")


if __name__ == "__main__":
    for directory in sys.argv[1:]:
        save(directory, json.loads((Path(directory) / "golden.json").read_text()))

#!/usr/bin/env python3
"""Prints what the formats' own Python packages find in a GGUF or safetensors file, as JSON.

    read_formats.py FILE
"""

import json
import sys


def gguf_file(path):
    import gguf

    reader = gguf.GGUFReader(path)
    metadata = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    tensors = {
        tensor.name: [tensor.tensor_type.name, [int(size) for size in reversed(tensor.shape)], tensor.data.tobytes().hex()]
        for tensor in reader.tensors
    }
    return {"metadata": metadata, "tensors": tensors}


def safetensors_file(path):
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        tensors = {}
        for name in file.keys():
            values = file.get_tensor(name)
            tensors[name] = [str(values.dtype), list(values.shape), values.tobytes().hex()]
        return {"metadata": file.metadata(), "tensors": tensors}


path = sys.argv[1]
print(json.dumps(gguf_file(path) if path.endswith(".gguf") else safetensors_file(path)))

#!/usr/bin/env python3
"""Writes blocks.json: blocks of every type and the values that gguf-py (0.19.0) reads from them.

Run with `pip install gguf numpy`. Types with an encoder in gguf-py are encoded from random
values; the others are random bytes whose f16 scales are set to sane numbers.
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

BLOCKS = 3
SCALES_AT = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "IQ4_NL": (0,), "IQ4_XS": (0,)}
rng = np.random.default_rng(7)
out = {}
for name in ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", *SCALES_AT]:
    ty = T[name]
    values, size = GGML_QUANT_SIZES[ty]
    count = BLOCKS * max(values, 32)
    entry = {}
    if name in SCALES_AT:
        raw = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
        for at in SCALES_AT[name]:
            raw[:, at : at + 2] = rng.normal(0, 0.01, (BLOCKS, 1)).astype(np.float16).view(np.uint8)
        raw = raw.reshape(-1)
    else:
        source = rng.normal(0, 1, count).astype(np.float32)
        source[:32] = 0.0
        raw = quantize(source, ty).view(np.uint8).reshape(-1)
        entry["source"] = source.view(np.uint8).tobytes().hex()
    read = dequantize(raw.view(np.float32) if name == "F32" else raw, ty).astype(np.float32).reshape(-1)
    entry["bytes"] = raw.tobytes().hex()
    entry["values"] = read.view(np.uint8).tobytes().hex()
    out[name] = entry
Path(__file__).with_name("blocks.json").write_text(json.dumps(out, indent=0) + "\n")

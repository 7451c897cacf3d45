#!/usr/bin/env python3
"""Writes small GGUF and safetensors files with the formats' own Python packages, and what is in them as JSON.

Needs gguf, safetensors, numpy and torch. The files go to formats/.
"""

import hashlib
import json
from pathlib import Path

import gguf
import numpy
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "formats"
QUANTIZED = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
# Types that the package cannot write get bytes that are as good as any.
RAW = {"Q2_K": 84, "Q3_K": 110, "Q4_K": 144, "Q5_K": 176, "Q6_K": 210, "IQ4_NL": 18, "IQ4_XS": 136, "IQ2_XXS": 66}
VALUES = (numpy.arange(2 * 64, dtype=numpy.float32).reshape(2, 64) - 60) / 7


def tensors():
    for name in QUANTIZED:
        kind = gguf.GGMLQuantizationType[name]
        yield name, kind, gguf.quants.quantize(VALUES, kind)
    for name, size in RAW.items():
        yield name, gguf.GGMLQuantizationType[name], (numpy.arange(3 * size) % 251).astype(numpy.uint8).reshape(3, size)


def describe(writer_tensors):
    found = {}
    for name, kind, data in writer_tensors:
        values, size = gguf.GGML_QUANT_SIZES[kind]
        shape = [int(data.shape[0]), int(data.nbytes // data.shape[0] // size * values)]
        found[name] = [kind.name, shape, hashlib.sha256(data.tobytes()).hexdigest()[:16]]
    return found


def single():
    writer = gguf.GGUFWriter(HERE / "all_types.gguf", "test")
    writer.add_uint8("v.u8", 255)
    writer.add_int8("v.i8", -128)
    writer.add_uint16("v.u16", 65535)
    writer.add_int16("v.i16", -32768)
    writer.add_uint32("v.u32", 4294967295)
    writer.add_int32("v.i32", -2147483648)
    writer.add_uint64("v.u64", 18446744073709551615)
    writer.add_int64("v.i64", -9223372036854775808)
    writer.add_float32("v.f32", 0.1)
    writer.add_float64("v.f64", 0.1)
    writer.add_bool("v.true", True)
    writer.add_bool("v.false", False)
    writer.add_string("v.text", "naïve 日本語 🦀")
    writer.add_array("v.strings", ["", "a", "▁the", "日本"])
    writer.add_array("v.ints", [-1, 0, 2147483647])
    writer.add_array("v.floats", [0.5, -1.25])
    writer.add_array("v.bools", [True, False, True])
    writer.add_custom_alignment(64)
    for name, kind, data in tensors():
        writer.add_tensor(name, data, raw_dtype=kind)
    finish(writer)


def split():
    writer = gguf.GGUFWriter(HERE / "split.gguf", "test", split_max_tensors=3)
    writer.add_string("general.name", "split")
    for name, kind, data in list(tensors())[:8]:
        writer.add_tensor(name, data, raw_dtype=kind)
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def safetensors():
    values = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8
    save_file(
        {
            "f32": values,
            "f16": values.half(),
            "bf16": values.bfloat16(),
            "position_ids": torch.arange(5),
            "mask": torch.tensor([True, False, True]),
            "f8": values.to(torch.float8_e4m3fn),
            "scalar": torch.tensor(2.5),
            "none": torch.zeros(0, 4),
        },
        HERE / "all_types.safetensors",
        metadata={"format": "pt"},
    )


HERE.mkdir(exist_ok=True)
single()
split()
safetensors()
expected = {"all_types": describe(tensors()), "split": describe(list(tensors())[:8])}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

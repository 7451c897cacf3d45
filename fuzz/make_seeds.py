#!/usr/bin/env python3
"""Writes the seeds of the targets gguf, safetensors and config_json: small valid files, cut and flipped ones, and
lengths that lie."""

import json
import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
HUGE = [2**32, 2**62, 2**63, 2**64 - 1]


def put(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


def damaged(target, name, data, step):
    """Truncations and flipped bits of a valid file."""
    for length in range(0, len(data), step):
        put(target, f"{name}-cut-{length:03}", data[:length])
    for at in range(4, len(data), step):
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        put(target, f"{name}-flip-{at:03}", bytes(flipped))


u32 = lambda value: struct.pack("<I", value)
u64 = lambda value: struct.pack("<Q", value)
text = lambda value: u64(len(value)) + value


def gguf(pairs=(), tensors=(), data=b"", version=3, counts=None, align=32):
    n_tensors, n_pairs = counts or (len(tensors), len(pairs))
    head = b"GGUF" + u32(version) + u64(n_tensors) + u64(n_pairs) + b"".join(pairs) + b"".join(tensors)
    return head + bytes(-len(head) % align) + data


def tensor(name, dims, kind, offset, n_dims=None):
    return text(name) + u32(len(dims) if n_dims is None else n_dims) + b"".join(map(u64, dims)) + u32(kind) + u64(offset)


def gguf_seeds():
    pair = lambda key, kind, value: text(key) + u32(kind) + value
    scalars = [b"\xff", b"\x80", b"\xff\xff", b"\x00\x80", u32(7), u32(2**32 - 1), struct.pack("<f", 0.5), b"\x01"]
    pairs = [pair(b"k%d" % kind, kind, value) for kind, value in enumerate(scalars)]
    pairs += [pair(b"u64", 10, u64(2**64 - 1)), pair(b"i64", 11, u64(2**63)), pair(b"f64", 12, struct.pack("<d", 0.1))]
    pairs += [pair(b"s", 8, text("naïve".encode())), pair(b"bad", 8, text(b"\xff"))]
    pairs += [pair(b"a", 9, u32(8) + u64(2) + text(b"") + text(b"x")), pair(b"n", 9, u32(5) + u64(2) + u32(1) + u32(2))]
    whole = gguf(pairs, [tensor(b"t", [2, 3], 0, 0), tensor(b"q", [32, 1], 8, 32)], bytes(range(66)))
    put("gguf", "valid", whole)
    put("gguf", "valid-v2", gguf(pairs[:2], [tensor(b"t", [4], 0, 0)], bytes(16), version=2))
    put("gguf", "valid-empty", gguf())
    # Bytes of 256 values, by the type's number; 4711 is a type that nobody knows.
    sizes = {0: 1024, 1: 512, 30: 512, 2: 144, 3: 160, 6: 176, 7: 192, 8: 272, 10: 84, 11: 110, 12: 144, 13: 176, 14: 210, 20: 144}
    sizes |= {23: 136, 16: 66, 27: 2048, 39: 136, 4711: 0}
    tensors, offset = [], 0
    for kind, size in sizes.items():
        tensors.append(tensor(b"t%d" % kind, [256], kind, offset))
        offset += -(-size // 32) * 32
    put("gguf", "valid-types", gguf((), tensors, bytes(offset)))
    damaged("gguf", "valid", whole, 23)
    for number, huge in enumerate(HUGE):
        put("gguf", f"tensors-{number}", gguf(counts=(huge, 0)))
        put("gguf", f"pairs-{number}", gguf(counts=(0, huge)))
        put("gguf", f"key-{number}", gguf([u64(huge) + b"key"]))
        put("gguf", f"string-{number}", gguf([pair(b"k", 8, u64(huge))]))
        put("gguf", f"array-{number}", gguf([pair(b"k", 9, u32(8) + u64(huge))]))
        put("gguf", f"array-u8-{number}", gguf([pair(b"k", 9, u32(0) + u64(huge))]))
        put("gguf", f"dims-{number}", gguf((), [tensor(b"t", [huge, huge], 0, 0)], bytes(32)))
        put("gguf", f"dims-zero-{number}", gguf((), [tensor(b"t", [huge, 0, huge], 0, 0)], bytes(32)))
        put("gguf", f"offset-{number}", gguf((), [tensor(b"t", [1], 0, huge & ~31)], bytes(32)))
        put("gguf", f"align-{number}", gguf([pair(b"general.alignment", 10, u64(huge))]))
    put("gguf", "align-zero", gguf([pair(b"general.alignment", 4, u32(0))]))
    put("gguf", "align-odd", gguf([pair(b"general.alignment", 4, u32(3))]))
    put("gguf", "nested", gguf([pair(b"k", 9, u32(9) + u64(1) + u32(9) + u64(1))]))
    put("gguf", "twice", gguf(pairs[:1] * 2, [tensor(b"t", [1], 0, 0)] * 2, bytes(32)))
    put("gguf", "overlap", gguf((), [tensor(b"a", [16], 0, 0), tensor(b"b", [8], 0, 32)], bytes(64)))
    put("gguf", "many-dims", gguf((), [tensor(b"t", [1], 0, 0, n_dims=2**32 - 1)]))
    put("gguf", "split", gguf([pair(b"split.count", 2, b"\x02\x00"), pair(b"split.no", 2, b"\x01\x00")]))
    put("gguf", "big-endian", b"GGUF" + struct.pack(">I", 3) + bytes(16))


def safetensors(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return u64(len(header)) + header + data


def safetensors_seeds():
    entry = lambda dtype, shape, start, end: {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    whole = safetensors(
        {"__metadata__": {"format": "pt"}, "w": entry("F32", [2, 2], 0, 16), "ids": entry("I64", [1], 16, 24), "x": entry("NEW", [3], 24, 25)},
        bytes(25),
    )
    put("safetensors", "valid", whole)
    put("safetensors", "valid-empty", safetensors({}))
    put("safetensors", "valid-scalar", safetensors({"s": entry("BF16", [], 0, 2), "none": entry("F16", [0, 7], 2, 2)}, bytes(2)))
    damaged("safetensors", "valid", whole, 17)
    for number, huge in enumerate(HUGE):
        put("safetensors", f"header-{number}", u64(huge) + b"{}")
        put("safetensors", f"shape-{number}", safetensors({"t": entry("F32", [huge, huge], 0, 4)}, bytes(4)))
        put("safetensors", f"shape-zero-{number}", safetensors({"t": entry("F32", [huge, 0, huge], 0, 0)}))
        put("safetensors", f"end-{number}", safetensors({"t": entry("F32", [1], 0, huge)}, bytes(4)))
        put("safetensors", f"start-{number}", safetensors({"t": entry("F32", [1], huge, 0)}, bytes(4)))
    put("safetensors", "twice", safetensors(b'{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8)))
    put("safetensors", "overlap", safetensors({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, bytes(12)))
    put("safetensors", "gap", safetensors({"a": entry("F32", [1], 4, 8)}, bytes(12)))
    put("safetensors", "deep", safetensors(b'{"__metadata__":' + b"[" * 500))
    put("safetensors", "four-bit", safetensors({"t": entry("F4", [3], 0, 2)}, bytes(2)))
    put("safetensors", "not-utf8", safetensors(b'{"\xff":1}'))


def config_seeds():
    config = {
        "model_type": "llama", "hidden_size": 64, "rms_norm_eps": 1e-5, "eos_token_id": [1, 2], "bos_token_id": None,
        "rope_parameters": {"rope_type": "llama3", "factor": 8.0, "list": [1, 2.5, "x"]}, "tie": True, "big": 2**70,
    }
    whole = json.dumps(config, indent=1).encode()
    put("config_json", "valid", whole)
    damaged("config_json", "valid", whole, 29)
    for name, data in {
        "list": b"[1]", "empty": b"", "deep": b'{"a":' * 500, "escape": b'{"a\\"b": {"\\u0041": 1}, "eos_token_id": -1}',
        "quotes": b'{"a": "b\\\\", "c\\": {": {"d": "}"}, "top_k": 4294967296}', "not-utf8": b'{"\xff": 1}',
        "floats": b'{"top_k": 1e400, "eos_token_id": 0.5, "max_length": 1e18}', "twice": b'{"a": 1, "a": {"a": 2}}',
    }.items():
        put("config_json", name, data)


gguf_seeds()
safetensors_seeds()
config_seeds()

#!/usr/bin/env python3
"""Writes the seeds of the targets gguf, gguf_split, gguf_vocabulary, safetensors, safetensors_index, packed and
config_json: small valid files, cut and flipped ones, and lengths that lie."""

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


def split_seeds():
    def part(number, count=2, name=b"t", announced=2):
        pairs = [text(b"split.count") + u32(2) + struct.pack("<H", count), text(b"split.no") + u32(2) + struct.pack("<H", number)]
        pairs += [text(b"split.tensors.count") + u32(5) + struct.pack("<i", announced)]
        return gguf(pairs, [tensor(name, [2], 0, 0)], bytes(8))

    whole = part(0) + part(1, name=b"u")
    put("gguf_split", "valid", whole)
    damaged("gguf_split", "valid", whole, 31)
    for name, data in {
        "alone": gguf(), "first-only": part(0), "twice": part(0) + part(0), "turned": part(1) + part(0, name=b"u"),
        "same-name": part(0) + part(1), "many": part(0, 65535) + part(1, 65535), "none": part(0, 0) + part(1, 0),
        "beyond": part(9) + part(9), "other-count": part(0, 3) + part(1), "other-total": part(0, announced=-1) + part(1, name=b"u"),
    }.items():
        put("gguf_split", name, data)


def vocabulary_seeds():
    strings = lambda key, words: text(b"tokenizer.ggml." + key) + u32(9) + u32(8) + u64(len(words)) + b"".join(map(text, words))
    one = lambda key, word: text(b"tokenizer.ggml." + key) + u32(8) + text(word)
    number = lambda key, value: text(b"tokenizer.ggml." + key) + u32(4) + u32(value)
    numbers = lambda key, kind, form, values: text(b"tokenizer.ggml." + key) + u32(9) + u32(kind) + u64(len(values)) + struct.pack(f"<{len(values)}{form}", *values)
    tokens = ["<unk>", "<s>", "</s>", "<0x0A>", "H", "e", "l", "He", "Hel", "▁", "Ġ", "##l", "[CLS]", "[SEP]"]
    names = strings(b"tokens", [token.encode() for token in tokens])
    kinds = numbers(b"token_type", 5, "i", [2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 4, 3, 3])
    scores = numbers(b"scores", 6, "f", [0, 0, 0, 0, -1, -2, -3, -4, -5, -6, -7, -8, 0, 0])
    merges = strings(b"merges", [b"H e", b"He l"])
    ends = number(b"bos_token_id", 1) + number(b"eos_token_id", 2)
    count = lambda *pairs: gguf(pairs)
    pairs = {
        "gpt2": [one(b"model", b"gpt2"), one(b"pre", b"qwen2"), names, kinds, merges, number(b"bos_token_id", 1)],
        "gpt2-default": [one(b"model", b"gpt2"), names, merges],
        "gpt2-no-merges": [one(b"model", b"gpt2"), names],
        "llama": [one(b"model", b"llama"), names, kinds, scores, number(b"eos_token_id", 2)],
        "t5": [one(b"model", b"t5"), names, kinds, scores, numbers(b"precompiled_charsmap", 0, "B", list(struct.pack("<I", 16) + struct.pack("<4I", 0x400, 0, 0x48, 0x100) + b"x\0"))],
        "bert": [one(b"model", b"bert"), names, kinds, number(b"cls_token_id", 12), number(b"seperator_token_id", 13)],
        "gemma4": [one(b"model", b"gemma4"), names, kinds, scores, merges],
        "unknown": [one(b"model", b"other"), names],
        "far-ids": [one(b"model", b"llama"), names, number(b"bos_token_id", 2**32 - 1), number(b"unknown_token_id", 2**31)],
        "bad-merge": [one(b"model", b"gpt2"), one(b"pre", b"llama-bpe"), names, strings(b"merges", [b"H", b"x y", b" ", b"H e l"])],
        "not-utf8": [one(b"model", b"gpt2"), strings(b"tokens", [b"\xff", b"\xc3", b"a"]), strings(b"merges", [b"a a"])],
        "twice": [one(b"model", b"llama"), strings(b"tokens", [b"a", b"a", b""])],
        "no-tokens": [one(b"model", b"llama")],
        "nan": [one(b"model", b"t5"), strings(b"tokens", [b"a", b"b"]), numbers(b"scores", 6, "f", [float("nan"), float("-inf")])],
    }
    for name, values in pairs.items():
        put("gguf_vocabulary", name, count(*values))
    damaged("gguf_vocabulary", "gpt2", count(*pairs["gpt2"]), 41)


def index_seeds():
    whole = json.dumps({"metadata": {"total_size": 25}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}).encode()
    put("safetensors_index", "valid", whole)
    damaged("safetensors_index", "valid", whole, 13)
    names = ["../x", "/etc/passwd", "a/b", "a\\b", "C:x", "", ".", "..", "x\0y", "\\\\host\\x", "nul", "é"]
    for number, name in enumerate(names):
        put("safetensors_index", f"name-{number:02}", json.dumps({"weight_map": {"a": name}}).encode())
    for name, data in {
        "empty": b"", "no-map": b"{}", "list": b'{"weight_map": []}', "number": b'{"weight_map": {"a": 1}}',
        "deep": b'{"weight_map": {"a":' + b"[" * 500, "twice": b'{"weight_map": {"a": "x", "a": "y"}}',
    }.items():
        put("safetensors_index", name, data)


def xxh64(data):
    """The checksum of packed files, from its specification."""
    p1, p2, p3, p4, p5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
    word = lambda value: value & (2**64 - 1)
    turn = lambda value, by: word(value << by) | word(value) >> (64 - by)
    step = lambda lane, value: word(turn(word(lane + value * p2), 31) * p1)
    at, total = 0, word(p5)
    if len(data) >= 32:
        lanes = [word(p1 + p2), p2, 0, word(-p1)]
        while at + 32 <= len(data):
            lanes = [step(lane, value) for lane, value in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        total = word(sum(turn(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))))
        for lane in lanes:
            total = word((total ^ step(0, lane)) * p1 + p4)
    total = word(total + len(data))
    while at + 8 <= len(data):
        total = word(turn(total ^ step(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4)
        at += 8
    if at + 4 <= len(data):
        total = word(turn(total ^ word(struct.unpack_from("<I", data, at)[0] * p1), 23) * p2 + p3)
        at += 4
    for byte in data[at:]:
        total = word(turn(total ^ word(byte * p5), 11) * p1)
    total = word((total ^ total >> 33) * p2)
    total = word((total ^ total >> 29) * p3)
    return total ^ total >> 32


def packed_seeds():
    # Contents begin at a multiple of 4096: the fuzzer's longest input has to be longer than that.
    def packed(matrices, contents=bytes(range(128)), checksums=None, offset=4096, **header):
        about = {"layout": 1, "key": "k", "model": "a/b", "source": "/m"}
        index = json.dumps({"about": about, "matrices": matrices, "checksums": [xxh64(contents)] if checksums is None else checksums}).encode()
        index = header.get("index", index)
        length = header.get("length", offset + len(contents))
        head = b"SCAFPACK" + u32(header.get("version", 1)) + u32(header.get("order", 0x01020304))
        head += u64(header.get("size", len(index))) + u64(offset) + u64(length) + u64(xxh64(index))
        head += u64(xxh64(head))
        return (head + bytes(8) + index).ljust(4096, b"\0") + contents

    matrix = lambda **change: {"name": "w", "cols": 32, "parts": [["Q4_0", 4], ["F16", 1]], "offset": 0, "bytes": 64, **change}
    whole = packed([matrix(), matrix(name="v", offset=64)])
    put("packed", "valid", whole)
    for at in [0, 8, 12, 16, 24, 32, 40, 48, *range(64, 400, 37)]:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << (at % 8)
        put("packed", f"valid-flip-{at:03}", bytes(flipped))
    for length in [0, 7, 63, 64, 200, 4095, 4096, 4100]:
        put("packed", f"valid-cut-{length:04}", whole[:length])
    for name, data in {
        "none": packed([], b"", []), "beyond": packed([matrix(bytes=129)]), "wraps": packed([matrix(offset=2**64 - 1, bytes=2)]),
        "huge-shape": packed([matrix(cols=2**63, parts=[["F32", 2**63]])]), "unknown-type": packed([matrix(parts=[["X", 1]])]),
        "same-name": packed([matrix(), matrix()]), "no-parts": packed([matrix(parts=[])]), "more-checksums": packed([matrix()], checksums=[1, 2]),
        "bad-checksum": packed([matrix()], checksums=[1]), "not-json": packed([], index=b"{"), "size-lies": packed([], size=2**63),
        "version-2": packed([], version=2), "turned": packed([], order=0x04030201), "length-lies": packed([], length=2**64 - 1),
    }.items():
        put("packed", name, data)


gguf_seeds()
safetensors_seeds()
config_seeds()
split_seeds()
vocabulary_seeds()
index_seeds()
packed_seeds()

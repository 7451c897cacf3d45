#!/usr/bin/env python3
"""Writes the seeds of the targets tokenizer_model, tekken and template: small valid files, damaged ones, and
templates that try to run for ever."""

import base64
import json
import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def put(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


def damaged(target, name, data, step):
    for length in range(0, len(data), step):
        put(target, f"{name}-cut-{length:03}", data[:length])
    for at in range(1, len(data), step):
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        put(target, f"{name}-flip-{at:03}", bytes(flipped))


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, kind, payload):
    head = varint(number << 3 | kind)
    return head + (varint(len(payload)) + payload if kind == 2 else payload)


def piece(text, score, kind=1):
    body = field(1, 2, text.encode()) + field(2, 5, struct.pack("<f", score)) + field(3, 0, varint(kind))
    return field(1, 2, body)


def model(kind, charsmap=b"", extra=b""):
    pieces = [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3)]
    pieces += [piece(f"<0x{b:02X}>", 0, 6) for b in (0x0A, 0xE6)]
    pieces += [piece("▁H", -1), piece("el", -2), piece("lo", -3), piece("▁Hel", -4), piece("▁", -5), piece("l", -6), piece("o", -7), piece("wö", -8, 4), piece("rl", -9, 5)]
    trainer = field(2, 2, field(3, 0, varint(kind)))
    normalizer = field(3, 2, (field(2, 2, charsmap) if charsmap else b"") + field(3, 0, varint(1)) + field(4, 0, varint(1)))
    return b"".join(pieces) + trainer + normalizer + extra


bpe, unigram = model(2), model(1)
put("tokenizer_model", "valid-bpe", bpe)
put("tokenizer_model", "valid-unigram", unigram)
damaged("tokenizer_model", "bpe", bpe, 9)
for name, data in {
    "empty": b"",
    "long-length": field(1, 2, b"")[:-1] + varint(2**63),
    "long-varint": b"\x08" + b"\xff" * 12,
    "no-unknown": piece("a", 0),
    "nan-score": model(2) + piece("ab", float("nan")),
    "infinite-score": model(1) + piece("▁▁", float("inf")),
    "bad-byte": model(2) + piece("<0xZZ>", 0, 6),
    "charsmap-short": model(1, b"\x01\x02"),
    "charsmap-lies": model(1, struct.pack("<I", 4096) + b"\0" * 8),
    "charsmap-loops": model(1, struct.pack("<I", 16) + struct.pack("<4I", 0x400, 0, 0x48, 0x100) + b"x\0"),
    "kind-9": model(9),
    "wire-type-3": b"\x0b",
}.items():
    put("tokenizer_model", name, data)


def tekken(**change):
    vocab = [{"rank": b, "token_bytes": base64.b64encode(bytes([b])).decode(), "token_str": None} for b in range(256)]
    vocab += [{"rank": 256, "token_bytes": base64.b64encode(b"He").decode()}]
    config = {"pattern": r"\p{L}+|\P{L}+", "default_vocab_size": 260, "default_num_special_tokens": 3, "version": "v3"}
    return json.dumps({"config": {**config, **change}, "special_tokens": [{"rank": 1, "token_str": "<s>"}], "vocab": vocab}).encode()


put("tekken", "valid", tekken())
damaged("tekken", "valid", tekken()[:200], 25)
for name, data in {
    "size-lies": tekken(default_vocab_size=2**40),
    "specials-lie": tekken(default_num_special_tokens=2**40),
    "negative": tekken(default_vocab_size=1, default_num_special_tokens=2),
    "bad-pattern": tekken(pattern="(("),
    "costly-pattern": tekken(pattern=r"(?=(a+)+b)|.|\n"),
    "empty-pattern": tekken(pattern=""),
    "bad-base64": tekken().replace(b"AA==", b"%%%%"),
    "empty": b"",
    "not-json": b"{",
}.items():
    put("tekken", name, data)

for name, source in {
    "valid": "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}",
    "json": "{{ messages | tojson(indent=2) }}{{ '%s %d' % ('a', 2) }}",
    "generation": "{% generation %}{{ messages[0].content }}{% endgeneration %}",
    "for-ever": "{% for i in range(10000000) %}{% for j in range(10000000) %}{% endfor %}{% endfor %}",
    "deep": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "deep-brackets": "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
    "deep-ifs": "{% if true %}" * 300 + "{% endif %}" * 300,
    "wide": "{{ 'a'.center(100000000) }}{{ 'a' * 1000000000 }}",
    "doubling": "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "percent": "{{ '%*d%.100000f%(a)s%' % 1 }}",
    "unclosed": "{{ '",
    "unclosed-tag": "{% if",
    "raw": "{% raw %}{{ x }}",
    "odd-tokens": "{{ 'a' % }}{{ % 2 }}{{ 1 % 0 }}{{ é % 'ü' }}",
    "tabs": "{{ 'a\tb'.expandtabs(9999999999) }}",
    "refusal": "{{ raise_exception('no') }}",
    "time": "{{ strftime_now('%Y %-d %q %') }}",
    "include": "{% include 'x' %}{% extends 'y' %}{% import 'z' as z %}",
    "slices": "{{ 'héllo'[::-1] }}{{ 'é'.find('', 5, -9) }}{{ messages[99:-99] }}",
    "split": "{{ 'a b'.split('') }}",
}.items():
    put("template", name, source.encode())

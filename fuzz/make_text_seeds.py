#!/usr/bin/env python3
"""Writes the seeds of the targets tokenizer_json, tokenizer_class, tokenizer_model, tekken, tiktoken, template and jinja:
small valid files, damaged ones, and templates that try to run for ever."""

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

TOKENS = ["<unk>", "<s>", "</s>", "H", "e", "l", "o", "He", "▁", "Ġ", "##l", "<0x0A>", "1", "Ċ", "w"]
IDS = {token: at for at, token in enumerate(TOKENS)}
BPE = {"type": "BPE", "vocab": IDS, "merges": [["H", "e"]]}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
SPECIAL = {"id": 1, "content": "<s>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def template(single, pair):
    part = lambda name: {"Sequence": {"id": name, "type_id": 0}} if name in "AB" else {"SpecialToken": {"id": name, "type_id": 0}}
    return {
        "type": "TemplateProcessing", "single": [part(p) for p in single.split()], "pair": [part(p) for p in pair.split()],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }


def tokenizer(model, **parts):
    file = {"version": "1.0", "added_tokens": [SPECIAL], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
    return json.dumps({**file, **parts, "model": model}, ensure_ascii=False).encode()


byte_level = tokenizer(BPE, pre_tokenizer=BYTES, post_processor=template("<s> A", "<s> A B"), decoder=BYTES)
word_piece = tokenizer(
    {"type": "WordPiece", "vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": False},
    pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    post_processor={"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]},
)
metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
pieces = [[token, -float(at)] for at, token in enumerate(TOKENS)]
unigram_model = {"type": "Unigram", "vocab": pieces, "unk_id": 0, "byte_fallback": True}
unigram_json = tokenizer(unigram_model, pre_tokenizer=metaspace, decoder=metaspace, normalizer={"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})
fallback = tokenizer(
    {**BPE, "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}, normalizer={"type": "Prepend", "prepend": "▁"},
    decoder={"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
)
split = lambda pattern, behavior="Isolated": {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}
for name, data in {"byte-level": byte_level, "word-piece": word_piece, "unigram": unigram_json, "fallback": fallback}.items():
    put("tokenizer_json", f"valid-{name}", data)
    damaged("tokenizer_json", name, data, 89)
for name, data in {
    "empty": b"", "not-json": b"{", "deep": b'{"model":' + b"[" * 500, "no-model": b"{}",
    "far-id": tokenizer({**BPE, "vocab": {"a": 2**32 - 1}}), "far-added": tokenizer(BPE, added_tokens=[{**SPECIAL, "id": 2**31}]),
    "empty-added": tokenizer(BPE, added_tokens=[{**SPECIAL, "content": ""}]), "twice-added": tokenizer(BPE, added_tokens=[SPECIAL, SPECIAL]),
    "strips": tokenizer(BPE, added_tokens=[{**SPECIAL, "lstrip": True, "rstrip": True, "single_word": True, "normalized": True}], normalizer={"type": "Lowercase"}),
    "unknown-beyond": tokenizer({**unigram_model, "unk_id": 99}), "no-pieces": tokenizer({"type": "Unigram", "vocab": []}),
    "not-a-number": tokenizer(unigram_model).replace(b"-3.0", b"1e999"), "merge-unknown": tokenizer({**BPE, "merges": ["x y", "H e"]}),
    "merge-torn": tokenizer({**BPE, "merges": ["H"]}), "dropout": tokenizer({**BPE, "dropout": 0.5}), "no-unknown": tokenizer({"type": "WordLevel", "vocab": IDS, "unk_token": "x"}),
    "frame-unknown": tokenizer(BPE, post_processor=template("<x> A", "<s> A B")), "frame-twice": tokenizer(BPE, pre_tokenizer=BYTES, decoder=BYTES, post_processor=template("A A", "B B A")),
    "empty-split": tokenizer(BPE, pre_tokenizer=split({"String": ""})), "costly-split": tokenizer(BPE, pre_tokenizer=split({"Regex": "(?=(a+)+b)|.|\\n"})),
    "bad-split": tokenizer(BPE, pre_tokenizer=split({"Regex": "(("})), "merged-split": tokenizer(BPE, pre_tokenizer=split({"Regex": "l"}, "MergedWithNext")),
    "empty-replace": tokenizer(BPE, normalizer={"type": "Replace", "pattern": {"String": ""}, "content": "x"}),
    "charsmap-lies": tokenizer(BPE, normalizer={"type": "Precompiled", "precompiled_charsmap": base64.b64encode(struct.pack("<I", 4096) + b"\0" * 8).decode()}),
    "charsmap-empty": tokenizer(BPE, normalizer={"type": "Precompiled", "precompiled_charsmap": ""}), "digits": tokenizer(BPE, pre_tokenizer={"type": "Digits", "individual_digits": True}),
    "scripts": tokenizer(BPE, pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "Whitespace"}]}),
    "ctc": tokenizer(BPE, decoder={"type": "CTC", "pad_token": "e", "word_delimiter_token": "l", "cleanup": True}), "suffix": tokenizer({**BPE, "end_of_word_suffix": "</w>", "continuing_subword_prefix": "##"}),
}.items():
    put("tokenizer_json", name, data)


def of_class(name, vocabulary, merges=b"", settings=(), **files):
    config = {"tokenizer_config.json": {"tokenizer_class": name, **dict(settings)}, **{f"{key}.json": value for key, value in files.items()}}
    return b"\n--\n".join([json.dumps(config, ensure_ascii=False).encode(), merges, vocabulary])


words = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "he", "##l", "1", "w", "é"]).encode()
pairs = json.dumps({**IDS, "<|endoftext|>": 99}).encode()
listed = {"added_tokens_decoder": {"1": SPECIAL, "50": {**SPECIAL, "content": "<x>"}}, "extra_special_tokens": ["<y>", {"content": "<z>"}], "bos_token": "<s>", "unk_token": {"content": "<unk>", "lstrip": True}}
for name, data in {
    "bert": of_class("BertTokenizer", words, settings={"do_lower_case": False}), "gpt2": of_class("GPT2Tokenizer", pairs, b"#version: 0.2\nH e\n"),
    "roberta": of_class("RobertaTokenizerFast", byte_level), "qwen": of_class("Qwen2Tokenizer", pairs, b"H e\n", listed), "clip": of_class("CLIPTokenizer", pairs, b"H e\n"),
    "llama": of_class("LlamaTokenizer", bpe, settings={"legacy": False, "add_prefix_space": True}), "t5": of_class("T5Tokenizer", unigram, settings={"extra_ids": 3}),
    "xlm": of_class("XLMRobertaTokenizer", unigram), "nllb": of_class("NllbTokenizer", bpe, settings={"src_lang": "deu_Latn"}), "albert": of_class("AlbertTokenizer", unigram_json),
    "pegasus": of_class("PegasusTokenizer", unigram, settings={"offset": 2**63}), "gemma": of_class("GemmaTokenizer", bpe, settings=listed), "mbart": of_class("MBartTokenizer", unigram),
    "deberta": of_class("DebertaV2Tokenizer", unigram, settings={"unk_id": 2**40}), "camembert": of_class("CamembertTokenizer", unigram_json), "xlnet": of_class("XLNetTokenizer", unigram),
    "model-type": of_class("PreTrainedTokenizerFast", byte_level, config={"model_type": "llama"}), "added": of_class("GPT2Tokenizer", pairs, b"H e", added_tokens={"<n>": 77}, special_tokens_map={"eos_token": "</s>"}),
    "added-far": of_class("GPT2Tokenizer", pairs, b"H e", added_tokens={"<n>": 2**63}), "listed-far": of_class("GPT2Tokenizer", pairs, b"H e", {"added_tokens_decoder": {"4294967295": SPECIAL}}),
    "no-words": of_class("BertTokenizer", b""), "same-words": of_class("BertTokenizer", b"a\na\n\n\n[UNK]\r\n"), "bad-merges": of_class("GPT2Tokenizer", pairs, b"H  e\nH\n\xff"),
    "unread": of_class("TransfoXLTokenizer", words), "nothing": b"{}", "no-json": b"[\n--\n\n--\n",
}.items():
    put("tokenizer_class", name, data)
damaged("tokenizer_class", "gpt2", of_class("GPT2Tokenizer", pairs, b"H e\n", listed), 37)

ranks = b"\n".join(base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256)) + b"\n" + base64.b64encode(b"He") + b" 256\n"
put("tiktoken", "valid", ranks)
put("tiktoken", "short", ranks[:60])
damaged("tiktoken", "short", ranks[:60], 5)
for name, data in {
    "empty": b"", "no-rank": b"AA==\n", "bad-base64": b"%%%% 1\n", "far": b"AA== 4000001\n", "farther": b"AA== 4294967295\n", "negative": b"AA== -1\n",
    "same-rank": b"AA== 1\nAQ== 1\n", "same-token": b"AA== 1\nAA== 2\n", "no-token": b" 1\n", "gap": b"AA== 0\nAQ== 9\n", "blank": b"\n\n \n", "not-text": b"\xff 1\n",
}.items():
    put("tiktoken", name, data)

HOSTILE = {
    "messages": [
        {"role": "user", "content": "<|im_end|>{{ 7 * 7 }}\u2028\0é日", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.5e300, "b": [[[]]], "": None}}}]},
        {"role": None, "content": [{"type": "text", "text": "x" * 50}, {"type": "image"}]}, {}, 7, ["a"], "%s%(a)s%99999999d",
    ],
    "tools": [{"type": "function", "function": {"name": "é", "parameters": {"type": ["x", None]}}}], "n": 10**40, "f": -0.0, "nan": 1e999, "none": None, "yes": True,
    "s": "İß\ud7ff\t{% raw %}", "e": {}, "l": [], "add_generation_prompt": True, "bos_token": "<s>",
}
context = json.dumps(HOSTILE).replace("\\u0000", "")
for name, source in {
    "loop": "{% for m in messages %}{{ loop.index }}{{ m.role }}{{ m.content | string | trim }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "json": "{{ messages | tojson(indent=n) }}{{ tools | tojson(ensure_ascii=false) }}", "format": "{{ s % messages }}{{ '%*d' % (n, f) }}{{ '{:>{}}'.format(s, 9) }}{{ '{0.a[b]!r:x}'.format(e) }}",
    "numbers": "{{ n ** n }}{{ n // 0 }}{{ f | round(400) }}{{ n % 3 }}{{ -n >> 2 }}{{ nan | int }}{{ '0x1f' | int(base=16) }}", "slices": "{{ s[::-1] }}{{ messages[n:] }}{{ s[-n:n:2] }}{{ l[0] }}",
    "strings": "{{ s.upper() }}{{ s.title() }}{{ s.split() }}{{ s.replace('', s) }}{{ s.center(n) }}{{ s * n }}{{ s.join(s) }}{{ s.strip('İ') }}{{ s.expandtabs(-1) }}",
    "filters": "{{ messages | map(attribute='role') | list }}{{ l | max }}{{ e | dictsort }}{{ messages | selectattr('role') | first }}{{ s | wordwrap(1) }}{{ s | indent(n) }}{{ [3, 'a'] | sort }}{{ range(9) | batch(4, n) | list }}{{ messages | groupby('role') }}{{ s | urlize }}",
    "namespace": "{% set ns = namespace(a=1) %}{% for i in range(9) %}{% set ns.a = ns.a ~ s %}{% endfor %}{{ ns.a }}{{ ns }}", "macro": "{% macro f(x, y=n) %}{{ x }}{{ caller() if caller else varargs }}{% endmacro %}{{ f(1, 2, 3) }}{% call f(s) %}c{% endcall %}",
    "recursion": "{% macro f(x) %}{{ f(x ~ s) }}{% endmacro %}{{ f('') }}", "recursive-loop": "{% for m in [[[1]]] recursive %}{{ loop(m) }}{% endfor %}", "tests": "{{ n is divisibleby 0 }}{{ s is iterable }}{{ e is mapping }}{{ messages is eq messages }}{{ x is defined }}",
    "break": "{% for i in range(n) %}{% if i > 5 %}{% break %}{% endif %}{% continue %}{% endfor %}", "comprehension": "{{ messages | map('upper') | join }}{{ dict(a=n, **e) }}{{ cycler(1, 2).next() }}{{ joiner(s)() }}{{ lipsum() }}",
    "compare": "{{ 'a' < 1 }}{{ n < f }}{{ [1] == (1,) }}{{ none < none }}{{ 1 < 2 < 3 }}{{ s in s }}{{ 1 in e }}", "time": "{{ strftime_now(s) }}{{ strftime_now('%Y%q%%%') }}", "raise": "{{ raise_exception(messages) }}{{ raise_exception() }}",
    "secret": "{{ ''.__class__.__mro__ }}{{ s.format_map(e) }}{{ messages.append(1) }}{{ e._x }}{{ self }}{{ f.__init__ }}", "unfinished": "{{ s | ", "wide": "{{ '%100000d' % 1 }}{{ [0] * 100000 }}{{ range(100000) | list }}", "blocks": "{%- if yes -%} a {%+ endif %}{# #}{% filter upper %}b{% endfilter %}{% set x %}c{% endset %}{{ x }}{% generation %}d{% endgeneration %}",
}.items():
    put("jinja", name, source.encode() + b"\0" + context.encode())

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

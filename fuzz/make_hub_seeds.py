#!/usr/bin/env python3
"""Writes the seeds of the targets hub_listing, hub_journal, hub_settings, hub_wheel, dotenv, settings and embedding_files:
what servers, other programs and users write."""

import io
import json
import zipfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SHA1, SHA256 = "0123456789abcdef0123456789abcdef01234567", "ab" * 32


def put(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    data = data if isinstance(data, (bytes, str)) else json.dumps(data)
    (directory / name).write_bytes(data.encode() if isinstance(data, str) else data)


def damaged(target, name, data, step):
    for length in range(0, len(data), step):
        put(target, f"{name}-cut-{length:03}", data[:length])
    for at in range(1, len(data), step):
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        put(target, f"{name}-flip-{at:03}", bytes(flipped))


def listing(*files):
    siblings = [{"rfilename": name, "size": size, "blobId": SHA1, "lfs": {"sha256": SHA256, "size": size}} for name, size in files]
    return {"id": "org/model", "sha": SHA1, "private": False, "gated": "manual", "pipeline_tag": "text-generation", "tags": ["license:mit"], "siblings": siblings}


whole = [("config.json", 10), ("model.safetensors", 1000), ("tokenizer.json", 5), ("1_Pooling/config.json", 3)]
quantized = [("m-Q4_K_M.gguf", 100), ("m-Q8_0-00001-of-00002.gguf", 150), ("m-Q8_0-00002-of-00002.gguf", 50), ("mmproj-f16.gguf", 9)]
put("hub_listing", "whole", listing(*whole))
put("hub_listing", "quantized", listing(*quantized))
put("hub_listing", "huge", listing(("a-Q4_0-00001-of-00002.gguf", 2**63), ("a-Q4_0-00002-of-00002.gguf", 2**63)))
put("hub_listing", "largest", listing(("a-Q4_0-00001-of-00002.gguf", 2**64 - 1), ("b-Q4_0.gguf", 2**45), ("c.gguf", -1)))
put("hub_listing", "outside", listing(("../../x-Q4_0.gguf", 1), ("/etc/x.gguf", 1), ("C:\\x.gguf", 1), ("a/../b.gguf", 1)))
put("hub_listing", "parts", listing(("a-00001-of-99999.gguf", 1), ("a-00000-of-00000.gguf", 1), ("a-4294967296-of-1.gguf", 1), ("-of-.gguf", 1), (".gguf", 1)))
put("hub_listing", "labels", listing(("İ-Q4_0.gguf", 1), ("é-q4_k_m.GGUF", 1), ("Q.gguf", 1), ("IQ4_.gguf", 1), ("x-UD-Q4_K_XL/y.gguf", 1)))
put("hub_listing", "page", [{"type": "file", "path": name, "size": size, "oid": SHA1} for name, size in whole] + [{"type": "directory", "path": "x"}])
put("hub_listing", "tree", {"format_version": 1, "files": {name: {"size": size, "blob_id": SHA1, "lfs_sha256": SHA256, "lfs_size": size} for name, size in whole}})
put("hub_listing", "tree-huge", {"format_version": 1, "files": {name: {"size": 2**64 - 1} for name, _ in whole}})
put("hub_listing", "index", {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "../x", "c": 1}})
put("hub_listing", "nothing", "{}")
put("hub_listing", "no-files", listing())

lanes = [[0, 500, 100], [500, 1000, 0]]
journal = {"digest": f"sha256:{'0' * 64}", "size": 1000, "validator": '"x"', "lanes": lanes}
for name, change in {
    "valid": {}, "unknown-size": {"size": None, "lanes": [[0, 2**64 - 1, 1000]]}, "beyond": {"lanes": [[0, 1000, 1001]]}, "backwards": {"lanes": [[0, 500, 1], [500, 400, 0], [400, 1000, 0]]},
    "wraps": {"size": None, "lanes": [[0, 2**64 - 2, 0], [2**64 - 2, 2**64 - 1, 1]]}, "gap": {"lanes": [[0, 1, 1], [2, 1000, 1]]}, "none": {"lanes": []}, "many": {"lanes": [[0, 0, 0]] * 65 + [[0, 1000, 0]]},
    "weak": {"validator": 'W/"x"'}, "negative": {"lanes": [[-1, 1000, 0]]}, "all": {"lanes": [[0, 1000, 1000]]}, "doubled": {"size": None, "lanes": [[0, 1000, 1000], [1000, 2**64 - 1, 0]]},
}.items():
    put("hub_journal", name, {**journal, **change})
# Prefixes that a digest may be written with.
put("hub_journal", "bare", {**journal, "digest": "0" * 64})

for name, text in {
    "pip": "[global]\nindex-url = https://user:secret@index.example/simple\nextra-index-url =\n    https://a.example\n    https://b.example\nno_index: true\n[download]\ncert=/x\n",
    "pip-odd": "\ufeff[global\n = \n\t\n[download]\n  continued\n=value\nproxy = \n;x\n", "stored": "[work]\nhf_token = hf_abc\n[]\n=\n[a\nx=y=z\n", "token": "hf_abcdefghijklmnopqrstuvwxyz",
    "token-lines": "hf_a\nhf_b", "digest": f"sha256:{SHA256}", "proxy": "http://user:p%40ss@proxy.example:3128", "socks": "socks5h://[::1]:1080", "no-scheme": "proxy:1", "odd-scheme": "ftp://x", "bad-port": "http://x:99999",
    "except": "localhost,.example,*.b.example:8080,10.0.0.0/8,::1/128,[::1]:80,*", "except-odd": "/,/99,10.0.0.0/33,:,[,],[::1,1.2.3.4/,.,*.,a:99999", "utf-16": "[a]\nb=c\n".encode("utf-16"), "not-text": b"\xff\xfe\x00\xd8", "empty": "",
}.items():
    put("hub_settings", name, text)


def wheel(compression, name="a/model.bin", content=b"hello", comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, compression)
        archive.writestr(zipfile.ZipInfo("stored"), b"", zipfile.ZIP_STORED)
        archive.comment = comment
    return out.getvalue()


stored, deflated = wheel(zipfile.ZIP_STORED), wheel(zipfile.ZIP_DEFLATED)
put("hub_wheel", "stored", stored)
put("hub_wheel", "deflated", deflated)
put("hub_wheel", "longer", wheel(zipfile.ZIP_DEFLATED, content=b"h" * 5000))
put("hub_wheel", "comment", wheel(zipfile.ZIP_STORED, comment=b"PK\x05\x06" + b"\xff" * 18))
put("hub_wheel", "outside", wheel(zipfile.ZIP_STORED, name="../model.bin"))
put("hub_wheel", "bomb", wheel(zipfile.ZIP_DEFLATED, content=bytes(3000000)).replace((3000000).to_bytes(4, "little"), (5).to_bytes(4, "little")))
damaged("hub_wheel", "deflated", deflated, 17)

for name, text in {
    "plain": "LLM_MODEL=starter\nLLM_TEMPERATURE=0.2\nLLM_MAX_LENGTH=12 # comment\n", "quotes": "export LLM_MODEL='a \\' b'\nLLM_TEMPERATURE=\"0.5\\n\"\n", "lines": 'LLM_MODEL="a\nb\nc"\nX=1\n',
    "variables": "A=${HOME}/x\nB=${A:-${C}}\nHF_HOME=$A/${B}\n", "loop": "A=${B}\nB=${A}\nA=${A}${A}\n", "doubling": "A=aaaaaaaa\n" + "A=${A}${A}\n" * 24, "broken": "LLM_MODEL='open\n", "after": "LLM_MODEL='a' b\n",
    "strangers": "LLM_MODLE=x\nSCAFFOLD_X=1\n", "refused": "HF_ENDPOINT=http://x\n", "odd": "=\n==\n#\n'\n\"\n${\n${}\nA=${:-}\n\0\n", "not-utf8": b"LLM_MODEL=\xff\xfe\n", "returns": "LLM_MODEL=a\r\nLLM_TOP_K=3\r",
    "values": "LLM_TOP_P=1e999\nLLM_TOP_K=-1\nLLM_MAX_LENGTH=18446744073709551616\nLLM_TEMPERATURE=nan\n", "mark": "\ufeffLLM_MODEL=a\n",
}.items():
    put("dotenv", name, text)

for name, text in {
    "plain": 'LLM_MODEL = "starter"\nLLM_TEMPERATURE = 0.2\nLLM_DO_SAMPLE = true\nLLM_MAX_LENGTH = 12\n', "unknown": "LLM_MODLE = 1\n", "token": 'HF_TOKEN = "hf_x"\n', "endpoint": 'HF_ENDPOINT = "http://x"\n', "table": "[LLM_MODEL]\na = 1\n",
    "list": "LLM_MODEL = [1]\n", "date": "LLM_MODEL = 1979-05-27T07:32:00Z\n", "twice": "LLM_MODEL = 'a'\nLLM_MODEL = 'b'\n", "numbers": "LLM_TOP_K = 0x7fffffffffffffff\nLLM_TOP_P = inf\nLLM_TEMPERATURE = 1e400\nLLM_MAX_LENGTH = 1_0\n",
    "escapes": 'LLM_MODEL = "\\u00e9\\U0010ffff\\ud800"\n', "long": "LLM_MODEL = '''\na\n'''\n", "deep": "LLM_MODEL = " + "[" * 300 + "\n", "quoted": '"LLM_MODEL" = "a"\n\'LLM_TOP_K\' = 1\n', "dotted": "LLM_MODEL.a = 1\n", "utf-16": 'LLM_MODEL = "a"\n'.encode("utf-16"), "empty": "", "values": 'LLM_DEVICE = "cuda"\nSCAFFOLD_THREADS = 0\nSCAFFOLD_CPU = "x"\n',
}.items():
    put("settings", name, text)


def repository(modules=None, **files):
    st = "sentence_transformers.models."
    default = [{"idx": 0, "name": "0", "path": "", "type": f"{st}Transformer"}, {"idx": 1, "path": "1_Pooling", "type": f"{st}Pooling"}, {"path": "2_Dense", "type": f"{st}Dense"}, {"path": "3", "type": f"{st}Normalize"}]
    texts = {
        "modules": default if modules is None else modules, "pooling": {"word_embedding_dimension": 8, "pooling_mode_cls_token": True}, "dense": {"in_features": 8, "out_features": 4, "bias": True, "activation_function": "torch.nn.modules.linear.Identity"},
        "prompts": {"prompts": {"query": "q: ", "x": None}, "default_prompt_name": "query", "similarity_fn_name": "dot"}, "bert": {"max_seq_length": 128, "do_lower_case": True}, "tokenizer": {"model_max_length": 1e30, "truncation_side": "left"}, "config": {"max_position_embeddings": 512}, "fast": {"truncation": {"direction": "Left"}},
    }
    texts.update(files)
    return b"\0".join(text if isinstance(text, bytes) else json.dumps(text).encode() for text in texts.values())


for name, data in {
    "valid": repository(), "nothing": b"", "outside": repository([{"path": "../x", "type": "Transformer"}]), "absolute": repository([{"path": "/", "type": "Transformer"}]), "no-pooling": repository([{"path": "", "type": "Transformer"}]),
    "two-poolings": repository([{"path": "", "type": "Transformer"}] + [{"path": "1_Pooling", "type": "Pooling"}] * 2), "unknown": repository([{"path": "", "type": "Transformer"}, {"path": "", "type": "CNN"}]), "list": repository(pooling=[]),
    "modes": repository(pooling={"pooling_mode": ["mean", "max", "x"]}), "one-mode": repository(pooling={"pooling_mode": "lasttoken"}), "tanh": repository(dense={"in_features": 2**64 - 1, "out_features": 0}), "prompt": repository(prompts={"default_prompt_name": "x"}),
    "infinite": repository(tokenizer=b'{"model_max_length": Infinity, "truncation_side": NaN}'), "negative": repository(bert={}, config={"max_position_embeddings": -1}), "deep": repository(b"[" * 300),
}.items():
    put("embedding_files", name, data)
damaged("embedding_files", "valid", repository(), 61)

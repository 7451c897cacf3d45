#!/usr/bin/env python3
"""Lists what llama.cpp's converter writes for the tiny decoders, in gguf_files.json.

    list_gguf.py LLAMA_CPP        the directory of a llama.cpp source tree

For every model, as F32 and as Q8_0: the metadata, and for each tensor its type, shape (outermost first) and the start
of the SHA-256 of its bytes. Needs torch, transformers 5 and numpy. Vocabularies are left out: the models have none.
"""

import hashlib
import json
import logging
import shutil
import sys
import tempfile
import types
from pathlib import Path

LLAMA_CPP = sys.argv[1]
sys.path[:0] = [LLAMA_CPP, LLAMA_CPP + "/gguf-py"]

import gguf
import torch
from conversion import ModelBase, get_model_class

HERE = Path(__file__).parent
TYPES = {"F32": gguf.LlamaFileType.ALL_F32, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
# Names and numbers that depend on the directory, not on the model.
SKIPPED = ("GGUF.", "general.name", "general.basename", "general.size_label", "general.finetune", "general.version", "tokenizer.")


def prepared(source, directory):
    """A copy with what the converter looks for and `transformers` 5 does not write."""
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("golden.*"))
    config = json.loads((directory / "config.json").read_text())
    if config["model_type"] == "gpt2":
        config["n_ctx"] = config["n_positions"]
    if config["model_type"] == "phi3":
        config["rope_parameters"].setdefault("original_max_position_embeddings", config["original_max_position_embeddings"])
    (directory / "config.json").write_text(json.dumps(config))
    vocabulary = {"model": {"vocab": {str(i): i for i in range(config["vocab_size"])}}, "added_tokens": []}
    (directory / "tokenizer.json").write_text(json.dumps(vocabulary))
    return config


def stack_norms(model, base):
    """The converter means to stack StableLM's norms per head, but loses them in a generator's return value."""
    heads = {"q_layernorm": model.hparams["num_attention_heads"], "k_layernorm": model.hparams["num_key_value_heads"]}
    seen = {}

    def modify_tensors(self, data, name, layer):
        which = next((which for which in heads if which + ".norms" in name), None)
        if which is None:
            yield from base.modify_tensors(self, data, name, layer)
            return
        seen[name] = data
        prefix = f"model.layers.{layer}.self_attn.{which}"
        parts = [seen.get(f"{prefix}.norms.{head}.weight") for head in range(heads[which])]
        if all(part is not None for part in parts):
            yield from base.modify_tensors(self, torch.stack(parts), f"{prefix}.weight", layer)

    model.modify_tensors = types.MethodType(modify_tensors, model)


def convert(config, directory, out, file_type):
    known = get_model_class(config["architectures"][0])
    without_vocabulary = type(known.__name__, (known,), {"set_vocab": lambda self: None, "model_arch": known.model_arch})
    model = without_vocabulary(directory, file_type, out, eager=True)
    if config["model_type"] == "cohere2":
        model.hparams["rotary_pct"] = 1.0
    if config["model_type"] == "gpt_neox":
        model.hparams["rotary_pct"] = config["rope_parameters"]["partial_rotary_factor"]
    if config["model_type"] == "stablelm":
        stack_norms(model, known.__mro__[1])
    model.write()


def listing(path):
    reader = gguf.GGUFReader(path)
    metadata = {key: field.contents() for key, field in reader.fields.items() if not key.startswith(SKIPPED)}
    tensors = {
        tensor.name: [
            tensor.tensor_type.name,
            [int(size) for size in reversed(tensor.shape)],
            hashlib.sha256(tensor.data.tobytes()).hexdigest()[:16],
        ]
        for tensor in reader.tensors
    }
    return {"metadata": metadata, "tensors": tensors}


def main():
    logging.disable(logging.CRITICAL)
    files = {}
    for source in sorted((HERE / "tiny").iterdir()):
        kind = json.loads((source / "golden.json").read_text())["class"]
        if not kind.endswith(("ForCausalLM", "LMHeadModel")):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            directory = Path(scratch) / "model"
            config = prepared(source, directory)
            for name, file_type in TYPES.items():
                out = Path(scratch) / f"{name}.gguf"
                convert(config, directory, out, file_type)
                files.setdefault(source.name, {})[name] = listing(out)
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in files.items()]
    (HERE / "gguf_files.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()

"""Tiny models with random weights, as files of the forms that real ones have."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

SPECIAL = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
VOCABULARY = 320
HIDDEN, LAYERS, HEADS, INNER = 32, 2, 4, 64


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """A file of safetensors with these arrays of `float32`."""
    header: dict[str, Any] = {}
    offset = 0
    for name, array in tensors.items():
        end = offset + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.tobytes())


def _random(seed: int, shapes: dict[str, tuple[int, ...]], scale: float) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    arrays = {name: generator.normal(0, scale, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in arrays:
        if name.endswith(("norm.weight", "LayerNorm.weight")):
            arrays[name] = np.ones(shapes[name], np.float32)
    return arrays


def _letters() -> list[str]:
    """The characters that byte-level vocabularies write bytes with."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def byte_tokenizer() -> dict[str, Any]:
    """A `tokenizer.json` in which each byte is a token."""
    words = [*SPECIAL, *_letters()]
    words += [f"<unused{number}>" for number in range(len(words), VOCABULARY)]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": name, **flags} for number, name in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": bytes_,
        "post_processor": bytes_,
        "decoder": bytes_,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {word: number for number, word in enumerate(words)},
            "merges": [],
        },
    }


def write_chat_model(folder: Path, template: str = TEMPLATE, context: int = 2048) -> Path:
    """A decoder of the family of Llama, with ChatML."""
    folder.mkdir(parents=True)
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (VOCABULARY, HIDDEN),
        "lm_head.weight": (VOCABULARY, HIDDEN),
        "model.norm.weight": (HIDDEN,),
    }
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        shapes |= {f"{at}self_attn.{name}_proj.weight": (HIDDEN, HIDDEN) for name in "qkvo"}
        shapes |= {f"{at}mlp.{name}_proj.weight": (INNER, HIDDEN) for name in ("gate", "up")}
        shapes[f"{at}mlp.down_proj.weight"] = (HIDDEN, INNER)
        shapes |= {f"{at}{name}.weight": (HIDDEN,) for name in ("input_layernorm", "post_attention_layernorm")}
    tensors = _random(1, shapes, 0.2)
    for name in tensors:
        if name.endswith("layernorm.weight"):
            tensors[name] = np.ones(HIDDEN, np.float32)
    write_tensors(folder / "model.safetensors", tensors)
    _write(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": context,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "hidden_act": "silu",
            "bos_token_id": 1,
            "eos_token_id": 4,
            "tie_word_embeddings": False,
        },
    )
    _write(folder / "tokenizer.json", byte_tokenizer())
    special = {"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"}
    _write(folder / "tokenizer_config.json", {"chat_template": template, **special})
    return folder


WORDS = "the of and to in is for what how do we measure impact growth water energy river market climate city".split()


def word_tokenizer() -> dict[str, Any]:
    """A `tokenizer.json` of the kind of BERT's, with some words."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary += ["##" + letter for letter in "abcdefghijklmnopqrstuvwxyz"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    ends = {name: {"id": name, "ids": [vocabulary.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}

    def token(name: str, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": kind}}

    first, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": name, **flags} for number, name in enumerate(vocabulary[:5])],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token("[CLS]", 0), first, token("[SEP]", 0)],
            "pair": [token("[CLS]", 0), first, token("[SEP]", 0), second, token("[SEP]", 1)],
            "special_tokens": ends,
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: number for number, word in enumerate(vocabulary)},
        },
    }


def _write_bert(folder: Path, architecture: str, more: dict[str, tuple[int, ...]], config: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    tokenizer = word_tokenizer()
    words = len(tokenizer["model"]["vocab"])
    at = "" if architecture == "BertModel" else "bert."
    shapes: dict[str, tuple[int, ...]] = {
        f"{at}embeddings.word_embeddings.weight": (words, HIDDEN),
        f"{at}embeddings.position_embeddings.weight": (64, HIDDEN),
        f"{at}embeddings.token_type_embeddings.weight": (2, HIDDEN),
        f"{at}embeddings.LayerNorm.weight": (HIDDEN,),
        f"{at}embeddings.LayerNorm.bias": (HIDDEN,),
        f"{at}pooler.dense.weight": (HIDDEN, HIDDEN),
        f"{at}pooler.dense.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        here = f"{at}encoder.layer.{layer}."
        for name, (rows, columns) in {
            "attention.self.query": (HIDDEN, HIDDEN),
            "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN),
            "attention.output.dense": (HIDDEN, HIDDEN),
            "intermediate.dense": (INNER, HIDDEN),
            "output.dense": (HIDDEN, INNER),
        }.items():
            shapes |= {f"{here}{name}.weight": (rows, columns), f"{here}{name}.bias": (rows,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{here}{name}.weight": (HIDDEN,), f"{here}{name}.bias": (HIDDEN,)}
    write_tensors(folder / "model.safetensors", _random(2, shapes | more, 0.2))
    _write(
        folder / "config.json",
        {
            "architectures": [architecture],
            "model_type": "bert",
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "vocab_size": words,
            "max_position_embeddings": 64,
            "type_vocab_size": 2,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
            **config,
        },
    )
    _write(folder / "tokenizer.json", tokenizer)
    _write(folder / "tokenizer_config.json", {"model_max_length": 24, "tokenizer_class": "BertTokenizer"})


def write_embedder(folder: Path) -> Path:
    """An encoder of the family of BERT: mean pooling, and prompts by the names `query` and `document`."""
    _write_bert(folder, "BertModel", {}, {})
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    _write(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True})
    prompts = {"query": "what is ", "document": "the "}
    _write(folder / "config_sentence_transformers.json", {"prompts": prompts, "similarity_fn_name": "cosine"})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
    return folder


def write_ranker(folder: Path) -> Path:
    """A classifier of the family of BERT, with one number for a pair."""
    more: dict[str, tuple[int, ...]] = {"classifier.weight": (1, HIDDEN), "classifier.bias": (1,)}
    _write_bert(folder, "BertForSequenceClassification", more, {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}})
    return folder

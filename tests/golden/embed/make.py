"""Numbers that sentence-transformers computes, for the tests of embeddings and rankings.

usage: make.py [all-MiniLM-L6-v2's directory] [all-mpnet-base-v2's directory]

Written with sentence-transformers 6.2.0, transformers 5.24.0 and torch 2.15.0, in float32. The tiny repositories are put
together from ../tiny/bert and ../tiny/bert_seqcls and the files under tiny/, which this script writes; the tests put them
together in the same way.
"""
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder, SentenceTransformer

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny"
SENTENCES = ["What is sustainability?", "How do we measure environmental impact?", "Describe economic growth patterns."]
ODD = ["", "a", "Hello, WORLD! Ünïcödé naïve café", "日本語のテキスト 你好", "emoji 🙂 test \t tab\nnewline", "word " * 400]
WORDS = "the of and to in is for what how do we measure impact growth water energy river market climate model system city".split()


def rounded(array):
    """Float32 values in their shortest form."""
    return [[float(np.format_float_positional(x, unique=True)) for x in row] for row in np.asarray(array, np.float32)]


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def embeddings(name, directory):
    model = SentenceTransformer(directory, device="cpu")
    texts = SENTENCES + ODD
    vectors = model.encode(texts)
    write(f"{name}.json", {
        "model": name,
        "max_seq_length": model.max_seq_length,
        "texts": texts,
        "embeddings": rounded(vectors),
        "cosine": np.round(model.similarity(vectors[:3], vectors[:3]).numpy().astype(float), 6).tolist(),
    })


def tokenizer():
    """A WordPiece tokenizer of 512 entries: words, letters and their continuations."""
    letters = "abcdefghijklmnopqrstuvwxyz?.,"
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters, *("##" + c for c in letters)]
    vocab += [f"[unused{i}]" for i in range(512 - len(vocab))]
    special = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
               for i, t in enumerate(vocab[:4])]
    piece = lambda s, t: {"Sequence": {"id": s, "type_id": t}}
    token = lambda s, t: {"SpecialToken": {"id": s, "type_id": t}}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
                           "single": [token("[CLS]", 0), piece("A", 0), token("[SEP]", 0)],
                           "pair": [token("[CLS]", 0), piece("A", 0), token("[SEP]", 0), piece("B", 1), token("[SEP]", 1)],
                           "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for i, t in [(2, "[CLS]"), (3, "[SEP]")]}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": {t: i for i, t in enumerate(vocab)}},
    }


def tiny(name, base, files, weights):
    """Writes a repository's own files under tiny/<name>, and returns the directory of the whole repository."""
    own = HERE / "tiny" / name
    shutil.rmtree(own, ignore_errors=True)
    for path, value in files.items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(json.dumps(value, indent=1) + "\n")
    for path, tensors in weights.items():
        save_file(tensors, own / path)
    whole = Path(tempfile.mkdtemp())
    for file in ("config.json", "model.safetensors"):
        shutil.copy(TINY / base / file, whole / file)
    shutil.copytree(own, whole, dirs_exist_ok=True)
    (whole / "tokenizer.json").write_text((HERE / "tiny/tokenizer.json").read_text())
    return whole


def main():
    (HERE / "tiny").mkdir(exist_ok=True)
    (HERE / "tiny/tokenizer.json").write_text(json.dumps(tokenizer(), separators=(",", ":")) + "\n")
    tokenizer_config = {"tokenizer_class": "BertTokenizer", "model_max_length": 24, "do_lower_case": True, "cls_token": "[CLS]",
                        "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": None}
    torch.manual_seed(7)
    module = lambda path, kind: {"idx": int(path[:1] or 0), "name": path[:1] or "0", "path": path, "type": f"sentence_transformers.models.{kind}"}
    texts = ["What is the water energy?", "", "how do we measure the impact of growth on a river city", "Ünknown 日本 z",
             "the of and to in is for what how do we measure impact growth water energy river market climate model system city the of"]
    repository = tiny(
        "embedder", "bert",
        {
            "tokenizer_config.json": tokenizer_config,
            "modules.json": [module("", "Transformer"), module("1_Pooling", "Pooling"), module("2_Dense", "Dense"),
                             module("3_LayerNorm", "LayerNorm"), module("4_Normalize", "Normalize")],
            "1_Pooling/config.json": {"word_embedding_dimension": 64, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True,
                                      "pooling_mode_mean_tokens": True, "pooling_mode_mean_sqrt_len_tokens": True,
                                      "pooling_mode_weightedmean_tokens": True, "pooling_mode_lasttoken": True, "include_prompt": False},
            "2_Dense/config.json": {"in_features": 384, "out_features": 8, "bias": True,
                                    "activation_function": "torch.nn.modules.activation.Tanh"},
            "3_LayerNorm/config.json": {"dimension": 8},
            "sentence_bert_config.json": {"max_seq_length": 20, "do_lower_case": False},
            "config_sentence_transformers.json": {"prompts": {"query": "what is: ", "document": "the "}, "default_prompt_name": None,
                                                  "similarity_fn_name": "cosine"},
        },
        {
            "2_Dense/model.safetensors": {"linear.weight": torch.randn(8, 384) * 0.05, "linear.bias": torch.randn(8) * 0.1},
            "3_LayerNorm/model.safetensors": {"norm.weight": torch.rand(8) + 0.5, "norm.bias": torch.randn(8) * 0.1},
        })
    model = SentenceTransformer(str(repository), device="cpu")
    write("tiny/embedder.json", {
        "texts": texts,
        "plain": rounded(model.encode(texts)),
        "query": rounded(model.encode_query(texts)),
        "document": rounded(model.encode_document(texts)),
    })

    # What looks like a special token is that token, also where the text is cut.
    special = ["what is [SEP] the water", "[CLS][SEP][MASK] a", "the water [SEP] " + "energy and growth " * 9]
    write("tiny/special.json", {"texts": special, "plain": rounded(model.encode(special))})
    # The end of a text stays: by the tokenizer's settings, or by what its file was saved with.
    for name in ("settings", "file"):
        left = Path(tempfile.mkdtemp())
        shutil.copytree(repository, left, dirs_exist_ok=True)
        if name == "settings":
            (left / "tokenizer_config.json").write_text(json.dumps(tokenizer_config | {"truncation_side": "left"}))
        else:
            saved = tokenizer() | {"truncation": {"direction": "Left", "max_length": 24, "strategy": "LongestFirst", "stride": 0}}
            (left / "tokenizer.json").write_text(json.dumps(saved))
        cut = SentenceTransformer(str(left), device="cpu")
        write(f"tiny/left_{name}.json", {"texts": texts + special, "plain": rounded(cut.encode(texts + special))})

    query = "what is the water energy"
    scores = {}
    for name, config in {"sigmoid": {}, "identity": {"activation_fn": "torch.nn.modules.linear.Identity"}}.items():
        repository = tiny("cross_encoder", "bert_seqcls", {"tokenizer_config.json": tokenizer_config}, {})
        merged = json.loads((repository / "config.json").read_text()) | {"sentence_transformers": config}
        (repository / "config.json").write_text(json.dumps(merged))
        cross = CrossEncoder(str(repository), device="cpu")
        scores[name] = [float(x) for x in cross.predict([(query, text) for text in texts])]
    # A prompt stands before the query; the end of both texts stays where the tokenizer says so.
    prompts = {"model_type": "CrossEncoder", "prompts": {"query": "how do we measure ", "other": "z "}, "default_prompt_name": "query"}
    # As the library saves a cross-encoder; without modules.json it does not look at the prompts.
    saved = {
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}],
        "sentence_bert_config.json": {"transformer_task": "sequence-classification", "module_output_name": "scores",
                                      "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}}},
    }
    for name, files in {
        "prompt": saved | {"config_sentence_transformers.json": prompts},
        "no_modules": {"config_sentence_transformers.json": prompts},
        "left": {"tokenizer_config.json": tokenizer_config | {"truncation_side": "left"}},
    }.items():
        repository = tiny("cross_encoder", "bert_seqcls", {"tokenizer_config.json": tokenizer_config}, {})
        for path, value in files.items():
            (repository / path).write_text(json.dumps(value))
        cross = CrossEncoder(str(repository), device="cpu")
        scores[name] = [float(x) for x in cross.predict([(query, text) for text in texts])]
    write("tiny/cross_encoder.json", {"query": query, "texts": texts} | scores)

    for name, directory in zip(("minilm", "mpnet"), sys.argv[1:]):
        embeddings(name, directory)


main()

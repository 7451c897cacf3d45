#!/usr/bin/env python3
"""Tries every key of every tiny model's configuration, and keys of other families, against `transformers`.

    try_keys.py [NAME...]        all tiny models, or those: writes outcomes.json.gz beside this file

Each model of ../tiny is loaded with its own weights and a changed `config.json`: each key left out, each key `null`, and
each of CHANGES. What comes out is

- `same`: the same numbers as without the change (within rounding);
- `refused`: the class or the model refuses it, or the weights no longer fit;
- values: the first numbers of the last row of logits, or of the first hidden state, where they are others;
- `unused`: they are computed, but not from all weights of the file.

The tests hold Scaffold against it. Needs torch and transformers 5; no test needs either.
"""

import copy
import gzip
import json
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parent.parent / "tiny"
OUT = Path(__file__).parent / "outcomes.json.gz"
KEPT = 10
IDS = [1, 17, 300, 45, 511, 3, 99, 256, 128, 77, 401, 5, 64, 222, 350, 9]

ROPE = {"drop": ["rope_parameters"]}
CHANGES = {
    **{
        f"{key}={json.dumps(value)}": {"set": {key: value}}
        for key, values in {
            "activation": ["relu"],
            "activation_function": ["relu"],
            "add_cross_attention": [True],
            "attention_bias": [True, False],
            "attention_multiplier": [0.5],
            "attn_logit_softcapping": [5.0],
            "clip_qkv": [0.1],
            "decoder_sparse_step": [2],
            "embedding_multiplier": [2.0],
            "embedding_scale": [2.0],
            "final_logit_softcapping": [5.0],
            "full_attn_mod": [2],
            "global_attn_every_n_layers": [2],
            "global_rope_theta": [500.0],
            "head_dim": [8, 16, 32],
            "hidden_act": ["relu", "gelu", "quick_gelu", "relu2", "gelu_accurate", "mish", "tanh", "silu"],
            "hidden_activation": ["relu", "gelu", "silu"],
            "hidden_size": [64],
            "intermediate_size": [128],
            "interpolate_factor": [2],
            "is_causal": [False],
            "is_decoder": [True],
            "layer_norm_eps": [0.1],
            "layer_norm_epsilon": [0.1],
            "layer_types": [["sliding_attention", "full_attention"], ["full_attention", "full_attention"]],
            "local_attention": [4],
            "local_rope_theta": [500.0],
            "logit_scale": [0.5],
            "logits_scaling": [2.0],
            "max_position_embeddings": [8, 1024],
            "max_window_layers": [1],
            "mlp_bias": [True],
            "mlp_only_layers": [[0]],
            "mlp_type": ["gated"],
            "model_max_length": [99],
            "moe_intermediate_size": [32],
            "n_ctx": [4],
            "n_group": [2],
            "n_inner": [128],
            "no_rope_layer_interval": [2],
            "no_rope_layers": [[0, 1]],
            "norm_bias": [True],
            "norm_eps": [0.1],
            "norm_epsilon": [0.1],
            "norm_topk_prob": [True, False],
            "norm_type": ["rms_norm"],
            "num_attention_heads": [2],
            "num_experts_per_tok": [1],
            "num_key_value_heads": [1, 4],
            "order_of_interleaved_layers": ["global_attn_first"],
            "original_max_position_embeddings": [8],
            "pad_token_id": [1, 5],
            "partial_rotary_factor": [0.5],
            "position_embedding_type": ["relative_key"],
            "qk_layernorm": [True],
            "qkv_bias": [False],
            "query_pre_attn_scalar": [64],
            "relative_attention_num_buckets": [16],
            "reorder_and_upcast_attn": [True],
            "residual_multiplier": [0.5],
            "rms_norm_eps": [0.1],
            "rope_local_base_freq": [500.0],
            "rope_theta": [500.0],
            "rotary_dim": [8],
            "rotary_emb_base": [500.0],
            "rotary_pct": [0.5],
            "scale_attn_by_inverse_layer_idx": [True],
            "scale_attn_weights": [False],
            "sinusoidal_pos_embds": [True],
            "sliding_window": [4],
            "sliding_window_pattern": [2],
            "tie_word_embeddings": [True, False],
            "topk_group": [2],
            "type_vocab_size": [1, 2],
            "use_bias": [False],
            "use_bidirectional_attention": [True],
            "use_gated_activation": [False],
            "use_parallel_block": [False],
            "use_parallel_residual": [True, False],
            "use_qk_norm": [True],
            "use_qkv_bias": [True],
            "use_sliding_window": [True],
            "something_of_its_own": [0.5],
        }.items()
        for value in values
    },
    "sliding_window=4 in every way": {
        "set": {"sliding_window": 4, "use_sliding_window": True, "max_window_layers": 1}, "drop": ["layer_types"]
    },
    "sliding_window=4 in the first layers": {
        "set": {"sliding_window": 4, "use_sliding_window": True, "max_window_layers": 2}, "drop": ["layer_types"]
    },
    "sliding_window_pattern=2, no layer_types": {"set": {"sliding_window_pattern": 2}, "drop": ["layer_types"]},
    "global_attn_every_n_layers=2, no layer_types": {
        "set": {"global_attn_every_n_layers": 2}, "drop": ["layer_types"]
    },
    "no_rope_layer_interval=2, no no_rope_layers": {
        "set": {"no_rope_layer_interval": 2}, "drop": ["no_rope_layers", "layer_types"]
    },
    # The old keys of ropes.
    **{
        f"rope: {json.dumps(keys)}": dict(ROPE, set=keys)
        for keys in [
            {"rope_theta": 500.0},
            {"rotary_emb_base": 500.0},
            {"rotary_pct": 0.5},
            {"partial_rotary_factor": 0.5},
            {"partial_rotary_factor": 0.5, "rope_scaling": {"type": "linear", "factor": 4.0}},
            {"rope_local_base_freq": 500.0},
            {"global_rope_theta": 500.0},
            {"local_rope_theta": 500.0},
            {"rope_scaling": {}},
            {"rope_scaling": {"factor": 4.0}},
            {"rope_scaling": {"type": "linear", "factor": 4.0}},
            {"rope_scaling": {"type": "linear"}},
            {"rope_scaling": {"type": "linear", "factor": 4.0, "rope_theta": 500.0}},
            {"rope_scaling": {"type": "linear", "factor": 4.0, "wobble": 1.0}},
            {"rope_scaling": {"rope_type": "linear", "type": "dynamic", "factor": 4.0}},
            {"rope_scaling": {"type": "dynamic", "factor": 4.0}, "max_position_embeddings": 8},
            {"rope_scaling": {"type": "dynamic", "factor": 4.0, "original_max_position_embeddings": 4}},
            {"rope_scaling": {"type": "default"}},
            {"rope_scaling": {"type": "none"}},
            {"rope_scaling": {"type": "su", "factor": 4.0}},
            {"rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}},
            {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}},
            {"rope_scaling": {"type": "yarn", "factor": 4.0}},
            {"rope_scaling": {"type": "yarn", "original_max_position_embeddings": 8}},
            {"rope_scaling": {"type": "yarn", "factor": 4.0}, "original_max_position_embeddings": 8},
            {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8, "attn_factor": 0.5}},
            {
                "rope_scaling": {
                    "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8, "mscale": 0.7,
                    "mscale_all_dim": 0.3, "beta_fast": 0, "beta_slow": 0, "truncate": False
                }
            },
            {
                "rope_scaling": {
                    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 8
                }
            },
            {"rope_scaling": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}},
            {"rope_scaling": {"rope_type": "llama3", "factor": 4.0}},
        ]
    },
    "rope_scaling beside rope_parameters": {"set": {"rope_scaling": {"type": "linear", "factor": 4.0}}},
    "rope_theta inside and outside": {
        "set": {"rope_theta": 500.0, "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}
    },
    "rope_parameters without a base": {
        "set": {"rope_theta": 500.0, "rope_parameters": {"rope_type": "linear", "factor": 2.0}}
    },
}


def changes_of(config):
    """All changes of one configuration, by name."""
    changes = {}
    for key, value in config.items():
        if key == "model_type":
            continue
        changes[f"without {key}"] = {"drop": [key]}
        changes[f"{key}=null"] = {"set": {key: None}}
        if key == "rope_parameters":
            for inner, deep in value.items():
                less = {k: v for k, v in value.items() if k != inner}
                changes[f"without {key}.{inner}"] = {"set": {key: less}}
                for innermost in deep if isinstance(deep, dict) else ():
                    less = copy.deepcopy(value)
                    del less[inner][innermost]
                    changes[f"without {key}.{inner}.{innermost}"] = {"set": {key: less}}
    return {**changes, **CHANGES}


def changed(config, change):
    out = {k: v for k, v in config.items() if k not in change.get("drop", ())}
    return {**out, **change.get("set", {})}


class Refused(Exception):
    pass


@torch.no_grad()
def computed(directory, config, class_name):
    (directory / "config.json").write_text(json.dumps(config))
    try:
        model, info = getattr(transformers, class_name).from_pretrained(
            directory, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        if info["missing_keys"] or info["mismatched_keys"]:
            raise Refused(f"{info['missing_keys']} {info['mismatched_keys']}")
        output = model.eval()(torch.tensor([IDS]), **({"use_cache": False} if "LM" in class_name else {}))
    except Exception as error:
        raise Refused(repr(error)) from error
    if "ForCausalLM" in class_name or "LMHead" in class_name:
        row = output.logits[0, -1]
    elif "logits" in output:
        row = output.logits[0]
    else:
        row = output.last_hidden_state[0, 0]
    if not bool(torch.isfinite(row).all()):
        raise Refused("not finite")
    return [round(x, 6) for x in row.tolist()[:KEPT]], bool(info["unexpected_keys"])


def outcomes(name):
    source = ROOT / name
    config = json.loads((source / "config.json").read_text())
    class_name = config["architectures"][0]
    result = {"same": [], "refused": [], "unused": {}, "values": {}}
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        os.symlink((source / "model.safetensors").resolve(), directory / "model.safetensors")
        plain, _ = computed(directory, config, class_name)
        for change_name, change in changes_of(config).items():
            try:
                row, unused = computed(directory, changed(config, change), class_name)
            except Refused:
                result["refused"].append(change_name)
                continue
            same = max(abs(a - b) for a, b in zip(row, plain)) <= 2e-6
            if unused:
                result["unused"][change_name] = row
            elif same:
                result["same"].append(change_name)
            else:
                result["values"][change_name] = row
    return result


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    names = sys.argv[1:] or sorted(p.parent.name for p in ROOT.glob("*/golden.json"))
    all_outcomes = json.loads(gzip.decompress(OUT.read_bytes()))["models"] if OUT.exists() else {}
    for name in names:
        all_outcomes[name] = outcomes(name)
        print(name, {kind: len(found) for kind, found in all_outcomes[name].items()}, flush=True)
        text = json.dumps({"transformers": transformers.__version__, "changes": CHANGES, "models": all_outcomes}, sort_keys=True)
        OUT.write_bytes(gzip.compress(text.encode(), mtime=0))

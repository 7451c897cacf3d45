#!/usr/bin/env python3
"""Makes tiny random models and the numbers that `transformers` computes from them.

    make_tiny.py [NAME...]        makes those, or all of them

Each goes to tiny/NAME: config.json and model.safetensors as `transformers` saves them, golden.json and
golden.safetensors beside them (see README.md). Needs torch, transformers 5, numpy and safetensors; the tests need none
of them. The weights are rounded to bfloat16, which halves the files, and all computing is done in float32 from the
rounded weights. Norms and biases are moved away from one and zero, so that leaving one out shows.
"""

import shutil
import sys
from pathlib import Path

import torch
import transformers

from golden_files import save

ROOT = Path(__file__).parent / "tiny"

# Longer than every sliding window below (8).
IDS = [1, 17, 300, 45, 511, 3, 99, 256, 128, 77, 401, 5, 64, 222, 350, 9]
# Beyond the original context (16) of the scaled ropes below.
LONG_IDS = IDS + [12, 480, 33, 7, 190, 271, 402, 18, 66, 501, 88, 140, 310, 29, 471, 54, 205, 6, 333, 98, 415, 72, 160, 23]
GREEDY = 24

SMALL = dict(
    vocab_size=512,
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=256,
    initializer_range=0.2,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
GROUPED = dict(SMALL, num_key_value_heads=2)
ENCODER = dict(SMALL, max_position_embeddings=130, bos_token_id=None, eos_token_id=None)
# Position numbers of these start behind the padding token.
ROBERTA = dict(ENCODER, bos_token_id=0, eos_token_id=2, pad_token_id=1, type_vocab_size=1)


def rope(kind="default", theta=10000.0, **more):
    return {"rope_type": kind, "rope_theta": theta, **more}


# Name: model type, keys of the configuration, and what differs in the computing.
DECODERS = {
    "cohere": ("cohere", dict(GROUPED, logit_scale=0.25)),
    "cohere_qk_norm": ("cohere", dict(GROUPED, logit_scale=0.25, use_qk_norm=True)),
    "cohere2": (
        "cohere2",
        dict(GROUPED, num_hidden_layers=4, logit_scale=0.5, sliding_window=8, rope_parameters=rope(theta=50000.0)),
    ),
    "gemma": ("gemma", dict(GROUPED, num_key_value_heads=1, head_dim=32)),
    "gemma3_linear_rope": (
        "gemma3_text",
        dict(
            GROUPED,
            head_dim=32,
            num_hidden_layers=3,
            query_pre_attn_scalar=16,
            sliding_window=8,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            rope_parameters={
                "full_attention": rope("linear", 1000000.0, factor=8.0),
                "sliding_attention": rope(),
            },
        ),
    ),
    "gpt_neox_serial": (
        "gpt_neox",
        dict(SMALL, use_parallel_residual=False, rope_parameters=rope(partial_rotary_factor=0.5)),
    ),
    "granite": (
        "granite",
        dict(
            GROUPED,
            attention_bias=True,
            mlp_bias=True,
            tie_word_embeddings=True,
            embedding_multiplier=3.0,
            logits_scaling=2.5,
            residual_multiplier=0.4,
            attention_multiplier=0.3,
        ),
    ),
    "llama_dynamic_rope": (
        "llama",
        dict(GROUPED, max_position_embeddings=16, rope_parameters=rope("dynamic", factor=2.0)),
        # The frequencies depend on the length, so every further token would change them.
        dict(long=True, greedy=False),
    ),
    "llama_yarn_rope": (
        "llama",
        dict(
            GROUPED,
            max_position_embeddings=64,
            rope_parameters=rope(
                "yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=2.0, beta_slow=0.1, attention_factor=1.25
            ),
        ),
        dict(long=True),
    ),
    "olmoe": ("olmoe", dict(GROUPED, intermediate_size=32, num_experts=8, num_experts_per_tok=3)),
    "olmoe_clip": (
        "olmoe",
        dict(SMALL, intermediate_size=32, num_experts=4, num_experts_per_tok=2, clip_qkv=0.5, norm_topk_prob=True),
    ),
    "phi": (
        "phi",
        dict(SMALL, intermediate_size=256, num_key_value_heads=4, rope_parameters=rope(partial_rotary_factor=0.5)),
    ),
    "phi3_longrope": (
        "phi3",
        dict(
            GROUPED,
            original_max_position_embeddings=16,
            max_position_embeddings=128,
            sliding_window=None,
            rope_parameters=rope(
                "longrope",
                partial_rotary_factor=0.75,
                short_factor=[1.0, 1.1, 1.2, 1.3, 1.5, 1.7],
                long_factor=[1.5, 2.0, 3.0, 4.0, 6.0, 8.0],
                original_max_position_embeddings=16,
            ),
        ),
        dict(long=True, short=True),
    ),
    "phi3_sliding": ("phi3", dict(GROUPED, sliding_window=8)),
    "qwen2_moe": (
        "qwen2_moe",
        dict(
            GROUPED,
            moe_intermediate_size=48,
            shared_expert_intermediate_size=96,
            num_experts=8,
            num_experts_per_tok=2,
        ),
    ),
    "qwen2_sliding": (
        "qwen2",
        dict(GROUPED, num_hidden_layers=3, use_sliding_window=True, sliding_window=8, max_window_layers=1),
    ),
    "qwen2_yarn_rope": (
        "qwen2",
        dict(
            GROUPED,
            max_position_embeddings=128,
            rope_parameters=rope("yarn", 1000000.0, factor=4.0, original_max_position_embeddings=32),
        ),
        dict(long=True),
    ),
    "qwen3_moe": (
        "qwen3_moe",
        dict(
            GROUPED,
            head_dim=32,
            moe_intermediate_size=32,
            num_experts=8,
            num_experts_per_tok=3,
            norm_topk_prob=True,
        ),
    ),
    "smollm3": ("smollm3", dict(GROUPED, num_hidden_layers=4, rope_parameters=rope(theta=50000.0))),
    "stablelm": (
        "stablelm",
        dict(GROUPED, use_qkv_bias=True, rope_parameters=rope(partial_rotary_factor=0.25)),
    ),
    "stablelm_parallel": (
        "stablelm",
        dict(
            GROUPED,
            qk_layernorm=True,
            use_parallel_residual=True,
            rope_parameters=rope(partial_rotary_factor=0.5),
        ),
    ),
    "starcoder2": ("starcoder2", dict(GROUPED, sliding_window=8, tie_word_embeddings=True)),
}

MODERN = dict(
    ENCODER,
    num_hidden_layers=4,
    layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
    local_attention=8,
    cls_token_id=1,
    sep_token_id=2,
)
DISTIL = dict(vocab_size=512, dim=64, hidden_dim=128, n_layers=2, n_heads=4, max_position_embeddings=130, initializer_range=0.2)
ENCODERS = {
    "modernbert": ("modernbert", "AutoModel", MODERN),
    "modernbert_biases": ("modernbert", "AutoModel", dict(MODERN, attention_bias=True, mlp_bias=True, norm_bias=True)),
    "modernbert_seqcls": (
        "modernbert",
        "AutoModelForSequenceClassification",
        dict(MODERN, num_labels=3, classifier_pooling="mean", classifier_bias=True),
    ),
    "modernbert_seqcls_cls": (
        "modernbert",
        "AutoModelForSequenceClassification",
        dict(MODERN, num_labels=1, classifier_pooling="cls"),
    ),
    "roberta_seqcls": ("roberta", "AutoModelForSequenceClassification", dict(ROBERTA, num_labels=2)),
    "xlm-roberta_seqcls": ("xlm-roberta", "AutoModelForSequenceClassification", dict(ROBERTA, num_labels=1)),
    "distilbert_seqcls": ("distilbert", "AutoModelForSequenceClassification", dict(DISTIL, num_labels=3)),
}


def build(name, auto, model_type, keys):
    torch.manual_seed(sum(map(ord, name)))
    config = transformers.AutoConfig.for_model(model_type, **keys)
    config._attn_implementation = "eager"
    model = getattr(transformers, auto).from_config(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif float(parameter.abs().max()) == 0:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            parameter.copy_(parameter.bfloat16().float())
    return model


def row(ids):
    return torch.tensor([ids])


@torch.no_grad()
def greedy(model, ids):
    """Further tokens, each computed anew from the whole text, none of them a near-tie."""
    ids = list(ids)
    start = len(ids)
    for _ in range(GREEDY):
        best = model(row(ids), use_cache=False).logits[0, -1].topk(2)
        margin = float(best.values[0] - best.values[1])
        assert margin > 1e-3, f"the two likeliest tokens are {margin} apart: take another seed"
        ids.append(int(best.indices[0]))
    return ids[start:]


def head(model):
    return {"class": type(model).__name__, "transformers": transformers.__version__}


@torch.no_grad()
def decoder(model, long=False, short=False, greedy_too=True):
    ids = LONG_IDS if long else IDS
    golden = dict(head(model), input_ids=[ids], logits=model(row(ids), use_cache=False).logits.numpy())
    if greedy_too:
        golden["greedy_ids"] = greedy(model, ids)
    if short:
        golden["short_input_ids"] = [IDS]
        golden["short_logits"] = model(row(IDS), use_cache=False).logits.numpy()
    return golden


@torch.no_grad()
def encoder(model, pad, output):
    first = 0 if pad == 1 else 1
    ids = [first] + IDS[1:]
    short = [4, 310, 8, 200, 44]
    batch = [ids, short + [pad] * (len(ids) - len(short))]
    mask = [[1] * len(ids), [1] * len(short) + [0] * (len(ids) - len(short))]
    many = model(torch.tensor(batch), attention_mask=torch.tensor(mask))
    return dict(
        head(model),
        input_ids=[ids],
        batch_input_ids=batch,
        batch_attention_mask=mask,
        **{output: model(row(ids))[output].numpy(), f"batch_{output}": many[output].numpy()},
    )


def write(name, model, golden):
    directory = ROOT / name
    shutil.rmtree(directory, ignore_errors=True)
    model.bfloat16().save_pretrained(directory)
    save(directory, golden)
    print(name, sum(file.stat().st_size for file in directory.iterdir()))


def make(name):
    if name in DECODERS:
        model_type, keys, *options = DECODERS[name]
        options = dict(options[0]) if options else {}
        options["greedy_too"] = options.pop("greedy", True)
        model = build(name, "AutoModelForCausalLM", model_type, keys)
        write(name, model, decoder(model, **options))
    else:
        model_type, auto, keys = ENCODERS[name]
        model = build(name, auto, model_type, keys)
        output = "last_hidden_state" if auto == "AutoModel" else "logits"
        write(name, model, encoder(model, keys.get("pad_token_id", 0), output))


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*DECODERS, *ENCODERS]:
        make(wanted)

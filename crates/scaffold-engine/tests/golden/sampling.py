"""Writes sampling.json: what `transformers`' own chain of logits processors makes of small rows of logits.

Needs torch and transformers (made with 5.24). The chain is the one that `generate` itself builds from a generation
config, so that the order is tested too, not only each processor.

    python sampling.py > sampling.json
"""
import json
import math
import random

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

VOCAB, EOS, PROMPT = 24, 3, 6

MODEL = LlamaForCausalLM(
    LlamaConfig(vocab_size=VOCAB, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
)

CASES = [
    dict(),
    dict(sequence_bias={(5,): 2.5, (7,): -1.25}),
    dict(repetition_penalty=1.3),
    dict(repetition_penalty=0.7),
    dict(no_repeat_ngram_size=1),
    dict(no_repeat_ngram_size=2),
    dict(no_repeat_ngram_size=3),
    dict(bad_words_ids=[[4], [1, 2], [2, 1, 9], [EOS]]),
    dict(min_new_tokens=4),
    dict(min_new_tokens=2),
    dict(suppress_tokens=[0, 8, 11]),
    dict(min_length=10),
    dict(min_length=11),
    dict(sequence_bias={(9, 2, 1, 4): 2.5, (2, 1, 6): -1.5, (1, 7): 0.5, (5, 8): 9.0, (3,): 1.0}),
    dict(begin_suppress_tokens=[0, 8, 11]),
    # The first new token is to be chosen.
    dict(begin_suppress_tokens=[0, 8, 11], prompt_tokens=10),
    dict(begin_suppress_tokens=[2], min_length=12, suppress_tokens=[5], sequence_bias={(2, 1, 9): 2.0}, prompt_tokens=10),
    dict(sequence_bias={(2,): 3.0}, repetition_penalty=1.5, no_repeat_ngram_size=2, bad_words_ids=[[10]],
         min_new_tokens=9, suppress_tokens=[12]),
    dict(do_sample=True, temperature=0.7),
    dict(do_sample=True, top_k=5),
    dict(do_sample=True, top_k=1),
    dict(do_sample=True, top_k=100),
    dict(do_sample=True, top_p=0.9),
    dict(do_sample=True, top_p=0.3),
    dict(do_sample=True, top_p=0.0),
    dict(do_sample=True, min_p=0.1),
    dict(do_sample=True, min_p=1.0),
    dict(do_sample=True, typical_p=0.8),
    dict(do_sample=True, typical_p=0.2),
    dict(do_sample=True, temperature=1.8, top_k=12, top_p=0.8),
    dict(do_sample=True, temperature=0.6, top_k=12, min_p=0.05),
    dict(do_sample=True, temperature=1.2, top_k=16, top_p=0.95, min_p=0.02, typical_p=0.7),
    dict(do_sample=True, temperature=0.9, top_k=10, top_p=0.9, repetition_penalty=1.2, no_repeat_ngram_size=2,
         sequence_bias={(1,): 1.0}, bad_words_ids=[[2]], min_new_tokens=9, suppress_tokens=[6]),
]


def rows(rng):
    """Rows of logits with ties and with tokens that the model itself bans."""
    plain = [rng.gauss(0, 2) for _ in range(VOCAB)]
    tied = [float(rng.randint(-3, 3)) for _ in range(VOCAB)]
    banned = [-math.inf if i % 5 == 4 else rng.gauss(0, 3) for i in range(VOCAB)]
    return [plain, tied, banned]


def chain(case, prompt):
    settings = dict(top_k=0, top_p=1.0, temperature=1.0, eos_token_id=EOS, max_new_tokens=20)
    config = GenerationConfig(**{**settings, **case})
    config._eos_token_tensor = torch.tensor([EOS])
    MODEL._prepare_special_tokens(config)
    return MODEL._get_logits_processor(generation_config=config, input_ids_seq_length=prompt, device="cpu")


def numbers(values):
    return [None if math.isinf(x) else x for x in values]


def main():
    rng = random.Random(20)
    tokens = [1, 2, 9, 5, 1, 2, 1, 9, 2, 1]
    out = []
    for case in CASES:
        case = dict(case)
        prompt = case.pop("prompt_tokens", PROMPT)
        for at, row in enumerate(rows(rng)):
            # Equal logits at the edge of a mass are cut in the order of an unstable sort: nothing to compare.
            if at == 1 and ({"top_p", "typical_p"} & case.keys()):
                continue
            logits = torch.tensor([row], dtype=torch.float32)
            scores = chain(case, prompt)(torch.tensor([tokens]), logits.clone())[0].tolist()
            params = dict(case)
            if "sequence_bias" in params:
                biases = params.pop("sequence_bias")
                params["logit_bias"] = [[k[0], v] for k, v in biases.items() if len(k) == 1]
                params["sequence_bias"] = [[list(k), v] for k, v in biases.items() if len(k) > 1]
            out.append(dict(params=params, prompt_tokens=prompt, logits=numbers(logits[0].tolist()), scores=numbers(scores)))
    print(json.dumps(dict(tokens=tokens, eos=EOS, cases=out), indent=None, separators=(",", ":")))


main()

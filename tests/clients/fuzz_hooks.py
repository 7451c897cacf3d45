"""Makes of what a document describes requests that a server can answer soon: names of models that are there, and few tokens.

Nothing that is against the document becomes as it says: values of a wrong type stay what they are.
"""

import os
import random

import schemathesis

ANSWERS = os.environ["FUZZ_MODELS"].split()
EMBEDS = os.environ["FUZZ_EMBEDDERS"].split()
RANKS = os.environ.get("FUZZ_RANKERS", "").split() or EMBEDS
# Names in the document's examples.
SHOWN = ("starter", "all-minilm", "org/reranker")
FEW = 4
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def few(where, names, missing=None):
    for name in names:
        value = where.get(name)
        if is_number(value) and value > FEW:
            where[name] = FEW
        elif is_number(value) and name == "num_predict" and value in (-1, -2):
            where[name] = FEW
    if missing and all(where.get(name) is None for name in names):
        where[missing] = FEW


@schemathesis.hook
def before_call(context, case, kwargs):
    body, path = case.body, case.operation.path
    if not isinstance(body, dict):
        return
    chance = random.Random(repr(sorted(body.items(), key=repr)))
    names = EMBEDS if "embed" in path else RANKS if "rerank" in path else ANSWERS
    keeps = path in ("/api/delete", "/api/pull", "/api/copy", "/api/create")
    for key in ("model", "name"):
        if isinstance(body.get(key), str) and body[key].strip() and not keeps:
            if body[key] in SHOWN or chance.random() < 0.9:
                body[key] = chance.choice(names)
    # What is made from a model that is not here would be fetched, which this server may not.
    if path == "/api/create" and isinstance(body.get("from"), str) and body["from"].strip():
        body["from"] = chance.choice(ANSWERS)
    if path in ("/api/chat", "/api/generate"):
        if body.get("options") is None:
            body["options"] = {}
        if isinstance(body["options"], dict):
            few(body["options"], LIMITS, "num_predict")
    elif path.endswith("/completions") or path == "/v1/responses":
        few(body, LIMITS, "max_output_tokens" if path == "/v1/responses" else "max_tokens")
    else:
        few(body, LIMITS)
    # Nothing can be fetched; in lines that is an answer like others.
    if path == "/api/pull" and body.get("stream") is False:
        body["stream"] = True
    for name in ("n", "best_of"):
        if is_number(body.get(name)) and 2 < body[name] <= 128:
            body[name] = 2

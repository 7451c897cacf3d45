#!/usr/bin/env python3
"""Writes down what the configuration classes of `transformers` do with a `config.json`.

    read_classes.py > crates/scaffold-model/src/families/classes.json

For every `model_type` that is supported, one line with:

- `fields`: the keys that the class declares, with the value each has when the file leaves it out;
- `nullable`: those of them that may be `null` (another one with `null` is refused by the class);
- `reads`: keys beyond the fields that the class or the model's code reads;
- `unread`: fields that neither the class nor the model's code reads, so that they change nothing;
- `renamed`: other names for fields, which count before the field's own;
- `rope_theta`, `rotated`: the base of its rope and the share of a head that is rotated where the file does not say, and
- `partial`: whether the share is obeyed by the plain rope at all.

What is read is found in the source: every `config.KEY`, `getattr(config, "KEY")` and `kwargs.get("KEY")`.
Needs transformers 5 and torch; no test needs either.
"""

import ast
import dataclasses
import importlib
import inspect
import json
import sys
import typing

import transformers
from transformers import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

TYPES = (
    "llama mistral qwen2 qwen3 smollm3 granite olmo2 gemma gemma2 gemma3_text mixtral qwen2_moe qwen3_moe olmoe phi phi3 "
    "gpt_neox stablelm cohere cohere2 gpt2 starcoder2 bert roberta camembert xlm-roberta mpnet distilbert modernbert"
).split()

COMMON = {field.name for field in dataclasses.fields(PreTrainedConfig)}
# What the reading of ropes takes out of the keys that no field is declared for.
ROPE = {"rope_scaling", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings"}
# Methods, and what is said of other models in the same file.
NOT_KEYS = {"get_text_config", "text_config", "vision_config", "image_token_id", "mm_tokens_per_image", "is_sliding"}


def keys_read(source, names):
    """The keys that code reads of a configuration that goes by one of `names`."""

    def is_config(node):
        return (isinstance(node, ast.Name) and node.id in names) or (
            isinstance(node, ast.Attribute) and node.attr in names
        )

    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_config(node.value):
            found.add(node.attr)
        if isinstance(node, ast.Call) and node.args:
            texts = [a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in ("getattr", "hasattr") and is_config(node.args[0]):
                found.update(texts)
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop", "setdefault"):
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "kwargs":
                    found.update(texts[:1])
    return found


def default(field):
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def may_be_null(field):
    return field.default is None or "None" in str(field.type) or type(None) in typing.get_args(field.type)


def model_module(config_class):
    return importlib.import_module(config_class.__module__.replace("configuration_", "modeling_"))


def of_class(model_type):
    config_class = CONFIG_MAPPING[model_type]
    fields = [f for f in dataclasses.fields(config_class) if f.name not in COMMON]
    names = {f.name for f in fields}
    model = inspect.getsource(model_module(config_class))
    by_model = keys_read(model, ["config"])
    by_class = keys_read(inspect.getsource(sys.modules[config_class.__module__]), ["self"])
    used = by_model | by_class
    has_rope = "rope_parameters" in names
    own_reading = "convert_rope_params_to_dict" in vars(config_class)
    properties = {k for k in dir(config_class) if not k.startswith("_")} - names
    reads = {k for k in used - names - COMMON - NOT_KEYS - properties if not k.startswith("_")}
    if has_rope:
        reads |= ROPE - names
        # Classes with words of their own for the base or the share do not hear these.
        if own_reading:
            reads -= {"rope_theta", "partial_rotary_factor"} - used
    used |= {config_class.attribute_map.get(k, k) for k in used} | {"tie_word_embeddings"}
    out = {
        "fields": {f.name: default(f) for f in fields},
        "nullable": sorted(f.name for f in fields if may_be_null(f)),
        "reads": sorted(reads),
        "unread": sorted(names - used),
        # Some classes name the field itself by another name inside.
        "renamed": {(b if a in names else a): (a if a in names else b) for a, b in config_class.attribute_map.items()},
    }
    if has_rope:
        rope = config_class().rope_parameters
        rope = rope.get("full_attention", rope)
        out["rope_theta"] = rope["rope_theta"]
        out["rotated"] = rope.get("partial_rotary_factor", 1.0)
        out["partial"] = 'get("partial_rotary_factor"' in model
    return out


if __name__ == "__main__":
    print('{"transformers": %s, "classes": {' % json.dumps(transformers.__version__))
    rows = [f"{json.dumps(t)}: {json.dumps(of_class(t), sort_keys=True)}" for t in TYPES]
    print(",\n".join(rows))
    print("}}")

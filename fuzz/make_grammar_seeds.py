#!/usr/bin/env python3
"""Writes the seeds of the targets schema and gbnf: one for each keyword and each notation, and what tries to take for ever."""

import json
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def put(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data.encode() if isinstance(data, str) else json.dumps(data).encode())


def nested(schema, key, depth):
    for _ in range(depth):
        schema = {key: schema}
    return schema


person = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[A-Zä]"},
        "born": {"type": "string", "format": "date"},
        "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 130},
        "step": {"type": "number", "multipleOf": 0.5},
        "tags": {"type": "array", "items": {"enum": ["a", 1, None]}, "minItems": 1, "maxItems": 3},
        "friends": {"type": "array", "items": {"$ref": "#"}, "maxItems": 1},
    },
    "required": ["name", "age"],
    "patternProperties": {"^x-": {"const": {"a": [1.5, "\u00e9\n"]}}},
    "additionalProperties": False,
}
schemas = {
    "person": person,
    "true": True,
    "false": False,
    "any": {},
    "union": {"oneOf": [{"type": "object", "properties": {"k": {"const": c}}, "required": ["k"]} for c in "ab"]},
    "either": {"anyOf": [{"type": "string"}, {"type": ["integer", "null"]}, {"allOf": [{"minimum": 1}, {"maximum": 3}]}]},
    "tuple": {"items": [{"type": "null"}, {"type": "boolean"}], "additionalItems": False, "minItems": 2},
    "prefix": {"prefixItems": [{"const": 1}], "items": False},
    "names": {"type": "object", "propertyNames": {"pattern": "^[a-c]$"}, "minProperties": 1, "maxProperties": 1},
    "needs": {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "dependentRequired": {"a": ["b"]}},
    "one-of-names": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": {}}},
    "formats": {"prefixItems": [{"type": "string", "format": f} for f in ["date-time", "uuid", "ipv6", "uri", "email"]]},
    "recursive": {"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}, "additionalProperties": False}}},
    "to-itself": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "not": {"not": {"type": "null"}},
    "unique": {"type": "array", "uniqueItems": True},
    "slip": {"requird": ["a"]},
    "depends": {"properties": {"a": {"const": 1}, "b": {"const": 2}}, "dependencies": {"a": ["b"], "b": {"required": ["a"]}}},
    "not-required": {"properties": {"a": {}}, "not": {"required": ["a"]}},
    "apart": {"oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {"a": {"type": "string"}, "b": {"oneOf": [{"$ref": "#"}]}}},
    "draft-4": {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True, "id": "http://a/b"},
    "deep": nested({"type": "null"}, "items", 100),
    "deep-all": {"allOf": [nested({"minLength": 1}, "items", 40)]},
    "endless": {"allOf": [{"$ref": "#"}]},
    "twice-itself": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    "no-value": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "exploding-pattern": {"type": "string", "pattern": "^(a?){50}a{50}$"},
    "exploding-repeats": {"type": "string", "pattern": "(((a{1,100}){1,100}){1,100}){1,100}"},
    "huge-list": {"type": "array", "minItems": 10000, "maxItems": 10000},
    "many-choices": {"enum": [f"value {n}" for n in range(2000)]},
    "many-unions": {"allOf": [{"anyOf": [{"minLength": n}, {"pattern": f"a{n}"}]} for n in range(20)]},
    "numbers": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991, "multipleOf": 7},
    "fractions": {"type": "number", "minimum": -1.5, "exclusiveMaximum": 0.0625},
}
for name, schema in schemas.items():
    put("schema", name, schema)
put("schema", "half", json.dumps(person)[:200])
put("schema", "twice", '{"type": "string", "type": "null", "minimum": 1e400}')
put("schema", "decimal", {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"})

grammars = {
    "list": 'root ::= "[" item ("," item)* "]"\nitem ::= [a-z]+ | "\\"" [^"\\n]* "\\""\n',
    "json": 'root ::= object\nvalue ::= object | array | string | number | "true" | "null"\nobject ::= "{" (string ":" value ("," string ":" value)*)? "}"\n'
    'array ::= "[" (value ("," value)*)? "]"\nstring ::= "\\"" ([^"\\\\] | "\\\\" ["\\\\/bfnrt])* "\\""\nnumber ::= "-"? [0-9]+ ("." [0-9]+)?\n',
    "repeats": 'root ::= "a"{2} "b"{1,3} "c"{2,} "d"{,2} (("e" | "f"){3})?\n',
    "escapes": 'root ::= "\\x41\\u00e9\\U0001F600\\n\\t\\\\" [\\]\\-\\^\\x30-\\x39] [^a]\n',
    "lines": 'root ::= # the first\n  "a" |\n  "b"\n\n# the end\nrest ::= "c"\n',
    "tokens": 'root ::= <s> "a" <[2]>\n',
    "not-a-token": 'root ::= !<s>\n',
    "recursive": 'root ::= "(" root ")" | ""\n',
    "left": 'root ::= root "a" | "b"\n',
    "itself": "root ::= root\n",
    "nothing": 'root ::= ""\n',
    "undefined": "root ::= none\n",
    "twice": 'root ::= "a"\nroot ::= "b"\n',
    "no-root": 'a ::= "a"\n',
    "half": 'root ::= "a',
    "class": "root ::= [z-a]\n",
    "deep": "root ::= " + "(" * 100 + '"a"' + ")" * 100 + "\n",
    "many": "\n".join(f'r{n} ::= r{n + 1} "a"' for n in range(300)) + '\nr300 ::= "b"\nroot ::= r0\n',
    "optional": "root ::= " + '"a"? ' * 300 + "\n",
    "huge": 'root ::= ("a"{1,1000}){1,1000}\n',
    "any": "root ::= .*\n",
}
for name, text in grammars.items():
    put("gbnf", name, text)

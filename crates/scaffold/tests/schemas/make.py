#!/usr/bin/env python3
"""Makes suite.jsonl.gz of the JSON Schema Test Suite, as the sources of Python's `jsonschema` bring it.

    pip download --no-deps --no-binary :all: jsonschema==4.26.0 && tar xzf jsonschema-4.26.0.tar.gz
    make.py jsonschema-4.26.0/json/tests suite.jsonl.gz

Each line is a schema with its file and its instances: [instance, whether it is valid].
"""

import gzip
import json
import pathlib
import sys

DRAFTS = ["draft7", "draft2019-09", "draft2020-12"]
# What is optional asks for other things than validity, but for these.
OPTIONAL = ["format", "ecmascript", "float"]

tests = pathlib.Path(sys.argv[1])
schemas = {}
for draft in DRAFTS:
    for path in sorted((tests / draft).rglob("*.json")):
        name = str(path.relative_to(tests))
        if "optional" in name and not any(word in name for word in OPTIONAL):
            continue
        for group in json.loads(path.read_text()):
            key = json.dumps(group["schema"], sort_keys=True)
            instances = [[test["data"], test["valid"]] for test in group["tests"]]
            schemas.setdefault(key, {"of": name, "schema": group["schema"], "instances": instances})

lines = "\n".join(json.dumps(schema, separators=(",", ":")) for schema in schemas.values())
with open(sys.argv[2], "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
    packed.write(lines.encode())
print(len(schemas), "schemas")

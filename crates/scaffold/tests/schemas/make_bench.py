#!/usr/bin/env python3
"""Makes bench.jsonl.gz of JSONSchemaBench, whose schemas are those of real programs.

    git clone https://github.com/guidance-ai/jsonschemabench && git -C jsonschemabench checkout ba103c73
    make_bench.py jsonschemabench/data bench.jsonl.gz

Of each of its ten sets those are taken that come first by the hash of their names, so that nobody has chosen them. What only describes
(`description` and the like, where it is a text) is left out, for the size. Each line is a schema with its set and name.
"""

import gzip
import hashlib
import json
import pathlib
import sys

EACH = 60
WORDS = ["description", "markdownDescription", "title", "$comment"]


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if not (key in WORDS and isinstance(item, str))}
    return value


data = pathlib.Path(sys.argv[1])
lines = []
for directory in sorted(path for path in data.iterdir() if path.is_dir()):
    paths = sorted(directory.glob("*.json"), key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    for path in sorted(paths[:EACH]):
        of = f"{directory.name}/{path.stem}"
        lines.append(json.dumps({"of": of, "schema": plain(json.loads(path.read_text()))}, separators=(",", ":")))

with open(sys.argv[2], "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
    packed.write("\n".join(lines).encode())
print(len(lines), "schemas")

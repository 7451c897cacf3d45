#!/usr/bin/env python3
"""Asks the servers of Scaffold and llama.cpp for answers by the schemas of real programs, and counts which are kept to.

    python3 -m venv VENV && VENV/bin/pip install gguf 'jsonschema[format-nongpl]==4.26.0'
    VENV/bin/python tests/clients/python/noise.py bytes noise.gguf
    VENV/bin/python dev/compare/schemas.py --scaffold target/release/scaffold --llama DIR --model noise.gguf --doc docs/structured-output.md

Both servers open the same model, whose weights are random and whose tokens are bytes: only the schema makes its answers right. Each schema is asked for once
greedily and `--seeds` times at a temperature of 1.5. Every whole answer is validated by `jsonschema`, formats included, in the draft
that the schema names. With --doc the table in that file is written anew; with --details a line of JSON for each schema goes to a file.
DIR holds llama-server. --only runs one of the two, --sample every so manieth schema.
"""

import argparse
import collections
import concurrent.futures
import gzip
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "crates/scaffold/tests/schemas/bench.jsonl.gz"
BEGIN, END = "<!-- dev/compare/schemas.py writes this -->", "<!-- up to here -->"
HEAT = 1.5
ASKED = [{"role": "user", "content": "A value."}]


class Server:
    """A program that serves, begun again when it has ended by itself."""

    def __init__(self, command, log):
        self.log = open(log, "w")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [*command, "--port", str(self.port)]
        self.process, self.ended = None, 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.1)
        sys.exit(f"{self.command[0]} does not answer: see {self.log.name}")

    def revive(self):
        if self.process.poll() is not None:
            self.ended += 1
            self.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, schema, how, tokens, patience):
        """(what came of it, its text): "whole", "cut", "refused" or "failed"."""
        form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema, "strict": True}}
        body = {"model": MODEL, "messages": ASKED, "max_tokens": tokens, "response_format": form, **how}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=patience) as answer:
                choice = json.load(answer)["choices"][0]
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            return ("refused" if error.code in (400, 422) else "failed"), text
        except (OSError, urllib.error.URLError, json.JSONDecodeError) as error:
            return "failed", repr(error)
        whole = choice["finish_reason"] == "stop"
        return ("whole" if whole else "cut"), choice["message"]["content"] or ""


MODEL = ""


def validator_of(schema):
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def judged(validator, text):
    """Whether an answer is valid; None where the validator itself cannot say."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    try:
        return validator.is_valid(value)
    except Exception:  # patterns of another dialect, references that lead nowhere
        return None


def tried(server, case, args):
    """What becomes of one schema."""
    ways = [{"temperature": 0}] + [{"temperature": HEAT, "seed": seed} for seed in range(1, args.seeds + 1)]
    answers, reason = [], ""
    for way in ways:
        outcome, text = server.ask(case["schema"], way, args.tokens, args.patience)
        if outcome == "refused":
            return {"of": case["of"], "state": "refused", "reason": text}
        if outcome == "failed":
            server.revive()
            return {"of": case["of"], "state": "failed", "reason": text}
        answers.append((outcome, text))
    validator = validator_of(case["schema"])
    verdicts = [judged(validator, text) for outcome, text in answers if outcome == "whole"]
    wrong = [text for outcome, text in answers if outcome == "whole" and judged(validator, text) is False]
    if False in verdicts:
        state, reason = "invalid", wrong[0]
    elif True in verdicts:
        state = "kept"
    else:
        state = "cut"
    return {"of": case["of"], "state": state, "reason": reason, "valid": verdicts.count(True), "invalid": verdicts.count(False),
            "cut": sum(outcome == "cut" for outcome, _ in answers), "unsure": verdicts.count(None)}


def all_of(name, command, cases, args):
    server = Server(command, f"/tmp/{name}.schemas.log")
    begun = time.perf_counter()
    try:
        with concurrent.futures.ThreadPoolExecutor(args.clients) as pool:
            results = list(pool.map(lambda case: tried(server, case, args), cases))
    finally:
        server.stop()
    print(f"{name}: {time.perf_counter() - begun:.0f} s, ended by itself {server.ended} times", file=sys.stderr)
    return results


def share(count, of):
    return f"{count} ({100 * count / of:.1f} %)"


def table(results, sets, args):
    """A row for each set of schemas: how many each program keeps to."""
    names = list(results)
    lines = ["| schemas of | " + " | ".join(f"{name}: kept to | refused | invalid" for name in names) + " |"]
    lines.append("|---|" + "---|" * (3 * len(names)))
    for label in [*sets, "all"]:
        cells = []
        for name in names:
            those = [one for one in results[name] if label == "all" or one["of"].startswith(label + "/")]
            states = collections.Counter(one["state"] for one in those)
            cells += [share(states["kept"], len(those)), str(states["refused"]), str(states["invalid"])]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def told(results, sets, args, count):
    """The table, and what it leaves out."""
    lines = [BEGIN, "", *table(results, sets, args), ""]
    for name, all_ in results.items():
        states = collections.Counter(one["state"] for one in all_)
        valid, invalid, cut = (sum(one.get(key, 0) for one in all_) for key in ("valid", "invalid", "cut"))
        unsure = sum(one.get("unsure", 0) for one in all_)
        words = f"{name}: of {len(all_)} schemas {states['refused']} refused with a reason, {states['failed']} failed otherwise (no answer " \
            f"within {args.patience} s, or a fault of the server), {states['cut']} accepted without a whole answer to look at. Whole answers: " \
            f"{valid} valid, {invalid} invalid"
        words += f", {unsure} that the validator could not judge" if unsure else ""
        lines += [f"- {words}; {cut} cut at {args.tokens} tokens."]
    return [*lines, "", END]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaffold", required=True)
    parser.add_argument("--llama", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=600)
    parser.add_argument("--patience", type=int, default=60)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--doc")
    parser.add_argument("--details")
    args = parser.parse_args()
    global MODEL
    MODEL = args.model
    with gzip.open(SCHEMAS, "rt") as lines:
        cases = [json.loads(line) for line in lines][:: args.sample]
    commands = {
        "Scaffold": [args.scaffold, "serve", "--model", args.model],
        "llama.cpp": [f"{args.llama}/llama-server", "-m", args.model, "-c", "16384", "-np", str(args.clients), "-t", "1"],
    }
    results = {name: all_of(name, command, cases, args) for name, command in commands.items() if args.only in (None, name)}
    if args.details:
        with open(args.details, "w") as file:
            for name, all_ in results.items():
                file.writelines(json.dumps({"by": name, **one}) + "\n" for one in all_)
    sets = sorted({case["of"].split("/")[0] for case in cases})
    lines = told(results, sets, args, len(cases))
    print("\n".join(lines))
    if args.doc:
        text = Path(args.doc).read_text()
        around = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
        if not around.search(text):
            sys.exit(f"{args.doc} has no lines {BEGIN!r} and {END!r}, between which the table stands")
        Path(args.doc).write_text(around.sub(lambda _: "\n".join(lines), text))


if __name__ == "__main__":
    main()

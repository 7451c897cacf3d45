#!/usr/bin/env python3
"""Measures Scaffold beside other programs, on the same files with the same threads, and writes what docs/performance.md is
made of. Standard library only.

    python3 dev/compare/compare.py --scaffold target/release/scaffold --llama DIR --machine "two cores of a …" \\
        --out docs/performance/results.json --model "1.1B Q4_0=FILE" --model "starter Q4_1=FILE" \\
        [--parts speed,batch,context,start,profile,served] [--threads 2,1] [--rounds 5] [--candle BINARY] [--openvino PYTHON]
    python3 dev/compare/compare.py … --parts levels --level scalar=DIR --level avx2=DIR …
    cargo run -p xtask -- performance

The programs take turns within each round, and every figure is the median over the rounds. A record that is measured again
replaces the old one, so the parts may be measured one after the other. DIR holds llama-bench, llama-batched-bench,
llama-completion and llama-server; --candle names a program that takes FILE PROMPT NEW ROUNDS and prints {"prefill_tok_s", "decode_tok_s"};
--openvino a Python that has openvino-genai. Beside each record stands what share of the processors other programs took
meanwhile; on a quiet machine that is next to nothing.

The part "levels" runs Scaffold at each --level (`SCAFFOLD_CPU`) and llama-bench of its DIR, which should be llama.cpp built
for the same instructions; it keeps a machine and versions of its own. One build makes all of them: with
`-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON`, a DIR holds links to llama-bench, the libraries, and of the
libggml-cpu-*.so one: x64 (SSE2), haswell (AVX2, FMA, F16C), alderlake (the same with AVX-VNNI), zen4 or icelake (AVX-512 with
VNNI), sapphirerapids (with AMX).
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from served import served

PROMPT, NEW, BATCH, CONTEXT = 512, 64, "1,4,8,16", 4096
BATCH_PROMPT, BATCH_NEW = 128, 32
SENTENCE = "The river runs down to the"
OPENVINO = str(Path(__file__).with_name("openvino_bench.py"))


class Failed(Exception):
    """A program that did not do what it should."""


def processor_seconds():
    """Of all processors: seconds in use, by anyone."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, soft, steal = fields
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


class Run:
    """One run of a program: its output, its time, its memory, and what others took meanwhile."""

    def __init__(self, command):
        own, all_, start = self.children(), processor_seconds(), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.output, errors = process.communicate()
        self.seconds = time.perf_counter() - start
        took = self.children() - own
        others = processor_seconds() - all_ - took
        self.others = max(0.0, others / (self.seconds * os.cpu_count()))
        if process.returncode != 0:
            raise Failed(f"{Path(command[0]).name} ended with {process.returncode}: {errors.strip()[-300:]}")

    @staticmethod
    def children():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime


def peak_mib(command):
    """The memory of a program at its peak, alone in a child of its own so that no larger one before it counts."""
    code = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], capture_output=True); " \
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    return int(subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True).stdout)


def last_json(text):
    """The last line that is a JSON object."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed("no figures in the output")
    return json.loads(lines[-1])


class Program:
    """A program with the commands of each part, and how their output is read: values by name."""

    def __init__(self, args, level=None):
        self.args, self.level = args, level


class Scaffold(Program):
    name = "scaffold"

    def bench(self, file, threads, *more):
        at_level = ["env", f"SCAFFOLD_CPU={self.level}"] if self.level else []
        return [*at_level, self.args.scaffold, "bench", file, "--threads", str(threads), "--repeats", "1", "--json", *more]

    def speed(self, file, threads):
        return self.bench(file, threads, "--prompt", str(PROMPT), "--gen", str(NEW))

    def batch(self, file, threads):
        return self.bench(file, threads, "--prompt", "16", "--gen", str(BATCH_NEW), "--batch", BATCH)

    def context(self, file, threads):
        return self.bench(file, threads, "--prompt", "16", "--gen", "16", "--context", str(CONTEXT))

    def start(self, file, threads):
        return [self.args.scaffold, "run", file, SENTENCE, "--raw", "--greedy", "--ctx", "2048",
                "--max-new-tokens", "1", "--threads", str(threads)]

    def profile(self, file, threads, prompt):
        return [self.args.scaffold, "bench", file, "--threads", str(threads), "--repeats", "5", "--json", "--profile",
                "--prompt", str(prompt), "--gen", str(NEW)]

    def read(self, part, run):
        if part == "start":
            return {"seconds": run.seconds}
        report = last_json(run.output)
        if part == "batch":
            return {f"tok_s_{one['sequences']}": one["tok_s"] for one in report["batch"]}
        if part == "context":
            (one,) = report["contexts"]
            return {key: one[key] for key in ("prefill_tok_s", "decode_tok_s")}
        return {key: value for key, value in report.items()
                if isinstance(value, (int, float)) and re.search(r"_tok_s|_gb_s|_gmac_s|share|load_s|ttft_s|_mib", key)}


class Llama(Program):
    name = "llama.cpp"

    def tool(self, name, file, threads, *more):
        directory = self.args.level[self.level] if self.level else self.args.llama
        return [str(Path(directory) / name), "-m", file, "-t", str(threads), *more]

    def speed(self, file, threads):
        return self.tool("llama-bench", file, threads, "-p", str(PROMPT), "-n", str(NEW), "-r", "1", "-fa", "1",
                         "-o", "jsonl")

    def batch(self, file, threads):
        return self.tool("llama-batched-bench", file, threads, "-c", "8192", "-b", "2048", "-ub", "512", "-fa", "on",
                         "-npp", str(BATCH_PROMPT), "-ntg", str(BATCH_NEW), "-npl", BATCH, "--output-format", "jsonl")

    def context(self, file, threads):
        # Warming up would read the whole prompt once more, for minutes; what it saves is lost in so long a run.
        return self.tool("llama-bench", file, threads, "-p", str(CONTEXT), "-n", "0", "-r", "1", "-fa", "1",
                         "--no-warmup", "-o", "jsonl")

    def start(self, file, threads):
        return self.tool("llama-completion", file, threads, "-p", SENTENCE, "-n", "1", "-c", "2048", "-no-cnv",
                         "--no-warmup", "-fa", "on", "--temp", "0")

    def read(self, part, run):
        if part == "start":
            return {"seconds": run.seconds}
        lines = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
        if part == "batch":
            return {f"tok_s_{line['pl']}": line["speed_tg"] for line in lines}
        return {("decode_tok_s" if line["n_gen"] else "prefill_tok_s"): line["avg_ts"] for line in lines}


class Candle(Program):
    name = "candle"

    def speed(self, file, threads):
        return ["env", f"RAYON_NUM_THREADS={threads}", self.args.candle, file, str(PROMPT), str(NEW), "1"]

    def read(self, _part, run):
        return last_json(run.output)


class OpenVino(Program):
    name = "OpenVINO"

    def speed(self, file, threads):
        return [self.args.openvino, OPENVINO, file, str(threads), str(PROMPT), str(NEW)]

    def read(self, _part, run):
        return last_json(run.output)


def shown(command, file):
    """A command as others can run it: without this machine's paths."""
    words = ["FILE" if word == file else Path(word).name if "/" in word else word for word in command]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def compare(part, label, file, threads, programs, rounds):
    """One record for each program: the median of every value."""
    programs = [program for program in programs if hasattr(program, part)]
    samples = {program.name: [] for program in programs}
    others = {program.name: [] for program in programs}
    failed = set()
    for index in range(rounds):
        for program in programs:
            if program.name in failed:
                continue
            try:
                run = Run(getattr(program, part)(file, threads))
                values = program.read(part, run)
            except (Failed, json.JSONDecodeError, KeyError) as problem:
                print(f"  {program.name}: left out: {problem}", file=sys.stderr)
                failed.add(program.name)
                continue
            samples[program.name].append(values)
            others[program.name].append(run.others)
            short = {key: round(value, 2) for key, value in values.items() if "tok_s" in key or key == "seconds"}
            print(f"  round {index + 1} {program.name}: {short}, others {run.others:.0%}", file=sys.stderr)
    for program in programs:
        taken = samples[program.name]
        if program.name in failed or not taken:
            continue
        command = getattr(program, part)(file, threads)
        values = {key: round(statistics.median(sample[key] for sample in taken), 3) for key in taken[0]}
        if part == "start":
            values["peak_rss_mib"] = peak_mib(command)
        yield {"part": part, "model": label, "threads": threads, "program": program.name,
               "command": shown(command, file), "rounds": rounds,
               "others_share": round(max(others[program.name]), 3), "values": values}


def levels(label, file, threads, args):
    """The records of the part "speed" for each level."""
    for level, directory in args.level.items():
        programs = [Scaffold(args, level)] + ([Llama(args, level)] if directory else [])
        print(f" {level}", file=sys.stderr)
        for record in compare("speed", label, file, threads, programs, args.rounds):
            yield record | {"part": "levels", "level": level}


def profiles(label, file, threads, scaffold):
    """Where Scaffold's time goes, at a short and at a long prompt."""
    for prompt in (PROMPT, CONTEXT):
        command = scaffold.profile(file, threads, prompt)
        run = Run(command)
        report = last_json(run.output)
        report.pop("model")
        yield {"part": f"profile {prompt}", "model": label, "threads": threads, "program": "scaffold",
               "command": shown(command, file), "rounds": 5, "others_share": round(run.others, 3), "values": report}


def put(records, record):
    """In the place of the old one, or at the end."""
    key = ("part", "level", "model", "threads", "program")
    for index, old in enumerate(records):
        if all(old.get(field) == record.get(field) for field in key):
            records[index] = record
            return
    records.append(record)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaffold", required=True)
    parser.add_argument("--llama")
    parser.add_argument("--candle")
    parser.add_argument("--openvino")
    parser.add_argument("--machine", required=True, help="the processor and its cores, in words")
    parser.add_argument("--versions", default="", help="of the other programs and how they were built, in words")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--model", action="append", required=True, metavar="LABEL=FILE")
    parser.add_argument("--level", action="append", default=[], metavar="LEVEL=DIR", help="for the part levels")
    parser.add_argument("--parts", default="speed,batch,context,start,profile")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    args.level = dict(level.partition("=")[::2] for level in args.level)
    scaffold = Scaffold(args)
    programs = [scaffold] + [kind(args) for kind, given in
                             ((Llama, args.llama), (Candle, args.candle), (OpenVino, args.openvino)) if given]
    results = json.loads(args.out.read_text()) if args.out.exists() else {"records": []}
    load = float(Path("/proc/loadavg").read_text().split()[0])
    print(f"load average {load}{'' if load < 0.5 else ': this machine is not quiet'}", file=sys.stderr)
    version = subprocess.run([args.scaffold, "--version"], capture_output=True, text=True).stdout.strip()
    parts = args.parts.split(",")
    # The levels and the servers may be those of another machine.
    for prefix in {{"levels": "level_", "served": "served_"}.get(part, "") for part in parts}:
        results.update({prefix + "machine": args.machine, prefix + "scaffold": version})
        if args.versions:
            results[prefix + "versions"] = args.versions
    for threads in map(int, args.threads.split(",")):
        for part in parts:
            for label, file in (model.split("=", 1) for model in args.model):
                print(f"{part}, {label}, {threads} threads", file=sys.stderr)
                made = profiles(label, file, threads, scaffold) if part == "profile" else \
                    served(label, file, threads, args, shown) if part == "served" else \
                    levels(label, file, threads, args) if part == "levels" else \
                    compare(part, label, file, threads, programs, args.rounds)
                for record in made:
                    record |= {"date": time.strftime("%Y-%m-%d"), "load_before": load}
                    put(results["records"], record)
                # After each, so that an interrupted run loses nothing.
                args.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Decode beside a busy loop on every processor: with all threads it should be no slower than with one.

    python3 dev/compare/busy.py --scaffold target/release/scaffold --model FILE [--threads 2] [--rounds 7]

Runs with one thread and with all take turns, each once more without the loops for comparison; prints medians of the tokens
written a second. Standard library only.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path


class BusyLoops:
    """One endless loop on each processor, while the block runs."""

    def __enter__(self):
        code = "import os,sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
        self.loops = [subprocess.Popen([sys.executable, "-c", code, str(cpu)]) for cpu in sorted(os.sched_getaffinity(0))]

    def __exit__(self, *_):
        for loop in self.loops:
            loop.kill()
            loop.wait()


def rates(args, threads):
    command = [args.scaffold, "bench", args.model, "--prompt", "64", "--gen", "48", "--repeats", "1", "--json",
               "--threads", str(threads)]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return report["prefill_tok_s"], report["decode_tok_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaffold", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    print(f"load average before: {Path('/proc/loadavg').read_text().split()[0]}")
    samples = {}
    for _ in range(args.rounds):
        for threads in (1, args.threads):
            samples.setdefault(("alone", threads), []).append(rates(args, threads))
        with BusyLoops():
            for threads in (1, args.threads):
                samples.setdefault(("beside loops", threads), []).append(rates(args, threads))
    decode = {}
    for (where, threads), taken in samples.items():
        prefill, written = (statistics.median(values) for values in zip(*taken))
        decode[where, threads] = written
        spread = ", ".join(f"{value:.1f}" for value in sorted(values[1] for values in taken))
        print(f"{where:12}  {threads} threads: prefill {prefill:7.1f}, decode {written:6.1f} tokens/s ({spread})")
    ratio = decode["beside loops", args.threads] / decode["beside loops", 1]
    print(f"beside the loops, {args.threads} threads decode {ratio:.2f} times as fast as one")


if __name__ == "__main__":
    main()

"""How checks are told."""

import sys


def check(what, holds, shown=""):
    if not holds:
        sys.exit(f"FAILED {what}: {shown!r}")
    print(f"ok {what}")


QUESTION = [{"role": "user", "content": "What is the capital of France? One sentence."}]

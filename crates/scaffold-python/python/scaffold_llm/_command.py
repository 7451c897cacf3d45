"""The command ``scaffold``. Nothing is imported here that it does not need: it is to start at once."""

import signal
import sys

from ._native import run_command


def main() -> None:
    """Does what was typed, and ends Python with the exit code."""
    # Python would only note Ctrl-C, for code of Python's that does not run meanwhile.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(["scaffold", *sys.argv[1:]]))

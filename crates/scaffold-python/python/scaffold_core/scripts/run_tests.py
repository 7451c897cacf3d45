"""Tests this installation and its models: ``scaffold selftest``, with the same flags and exit codes."""

import sys

from scaffold_llm._command import main

if __name__ == "__main__":
    sys.argv[1:1] = ["selftest"]
    main()

"""Tests this installation and its models, and writes what was found into a report (``--report``; without it
``documentation/query_system_test_report.md``)."""

import sys
from pathlib import Path

from scaffold_llm._command import main

REPORT = Path("documentation/query_system_test_report.md")

if __name__ == "__main__":
    arguments = ["selftest"]
    if not any(argument.split("=")[0] == "--report" for argument in sys.argv[1:]):
        REPORT.parent.mkdir(exist_ok=True)
        arguments += ["--report", str(REPORT)]
    sys.argv[1:1] = arguments
    main()

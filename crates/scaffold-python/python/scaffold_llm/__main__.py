"""``python -m scaffold_llm``: the command ``scaffold``."""

from ._command import main

if __name__ == "__main__":
    main()

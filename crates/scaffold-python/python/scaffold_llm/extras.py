"""What modules say that stand on another package, where that is not installed."""

from __future__ import annotations

import importlib


def need(extra: str, *modules: str) -> None:
    """Raises an :class:`ImportError` that says what to install, unless all of these modules can be imported.

    Args:
        extra: the extra of this package that brings them, by which its module is called, too.
        modules: what it stands on.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ImportError(
                f"scaffold_llm.{extra.replace('-', '_')} stands on {module}, which cannot be imported: {error}\n"
                f"  to do: pip install 'scaffold-llm[{extra}]'",
                name=module,
            ) from error

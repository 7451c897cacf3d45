"""Tools that a model may call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union, cast

from .errors import usage

Tool = Union[Mapping[str, Any], Callable[..., Any]]
"""``{"type": "function", "function": {"name": …, "description": …, "parameters": …}}``, a function, or a pydantic model."""


def tools_of(tools: Sequence[Tool]) -> list[Mapping[str, Any]]:
    """The tools as templates take them."""
    return [_tool(tool) for tool in tools]


def _tool(tool: Any) -> Mapping[str, Any]:
    if isinstance(tool, Mapping):
        written = cast("Mapping[str, Any]", tool)
        # What other libraries pass: the function without its frame.
        return written if "function" in written else {"type": "function", "function": written}
    if not callable(tool):
        raise usage(
            f"{tool!r} is no tool\n  accepted: a dictionary as OpenAI's clients write it, a function, a pydantic model", "tools"
        )
    try:
        from pydantic import TypeAdapter
    except ImportError:
        raise usage(
            f"the tool {_name(tool)} is a function, whose schema pydantic makes, and that is not installed",
            "tools",
            "pip install 'scaffold-llm[pydantic]'",
            "write the tool as a dictionary",
        ) from None
    adapter: Any = TypeAdapter
    try:
        parameters = adapter(tool).json_schema()
    except Exception as error:
        raise usage(f"the parameters of the tool {_name(tool)} have no JSON schema: {error}", "tools") from error
    description = inspect.cleandoc(tool.__doc__ or "")
    function = {"name": _name(tool), "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def _name(tool: Any) -> str:
    return str(getattr(tool, "__name__", tool))


def choice_of(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    """``tool_choice`` as the native module takes it: ``auto``, ``none``, ``required``, a tool's name, or OpenAI's object."""
    if isinstance(choice, Mapping):
        name = choice.get("function", choice).get("name")
        if not isinstance(name, str):
            raise usage(
                f'tool_choice is {dict(choice)!r}, which names no tool\n  accepted: {{"type": "function", "function": {{"name": …}}}}',
                "tool_choice",
            )
        return {"call": name}
    if choice in ("auto", "none"):
        return {}
    return {"must_call": True} if choice == "required" else {"call": choice}

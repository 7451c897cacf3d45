"""What answers are to be: JSON schemas, and Python's types that have one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .errors import UsageError, usage

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Reader(Generic[T]):
    """Reads the JSON of an answer as a value."""

    def __init__(self, of: type[T] | Mapping[str, Any]) -> None:
        self._of = of

    def read(self, text: str) -> T:
        """The value that a text holds."""
        if _is_plain(self._of):
            return cast("T", json.loads(text))
        from pydantic import ValidationError

        try:
            return cast("T", _adapter(self._of).validate_json(text))
        except ValidationError as error:
            # A validator of the class's own, which no schema tells of.
            raise UsageError(
                f"the answer keeps to the schema of {_name(self._of)}, and the class refuses it all the same: {error}"
            ) from error


def _is_plain(of: object) -> bool:
    return of is dict or not isinstance(of, type) and hasattr(of, "keys")


def _name(of: object) -> str:
    return getattr(of, "__name__", None) or str(of)


def _adapter(of: Any) -> Any:
    try:
        from pydantic import TypeAdapter
    except ImportError:
        raise usage(
            f"schema is the type {_name(of)}, whose schema pydantic makes, and that is not installed",
            "schema",
            "pip install 'scaffold-llm[pydantic]'",
            "pass a JSON schema, a dictionary",
        ) from None
    return TypeAdapter(of)


def grammar_of(of: type[Any] | Mapping[str, Any]) -> tuple[Any, Reader[Any]]:
    """What the library calls the schema of a type, and what reads the answer.

    ``dict`` is any JSON object. A mapping is a JSON schema. Anything else is a type that pydantic knows: a model, a data class, a
    ``TypedDict``, ``list[int]``, ``Literal["a", "b"]``.
    """
    if of is dict:
        return "object", Reader(of)
    if _is_plain(of):
        return {"schema": of}, Reader(of)
    try:
        schema = _adapter(of).json_schema()
    except UsageError:
        raise
    except Exception as error:
        raise usage(f"{_name(of)} has no JSON schema: {error}", "schema") from error
    return {"schema": schema}, Reader(of)

"""Answers of a chat model as values."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.base import OutputParserLike
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from ..errors import usage

if TYPE_CHECKING:
    from .chat import ChatScaffold

Method = Literal["json_schema", "function_calling", "json_mode"]
_METHODS = ("json_schema", "function_calling", "json_mode")


class _Whole:
    """A parser's ancestor that takes no value of which the end is missing: LangChain's parsers close what is open and go on."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        generation = result[0]
        if isinstance(generation, ChatGeneration):
            told = generation.message.response_metadata
            if told.get("incomplete"):
                raise OutputParserException(
                    f"the answer ended ({told.get('finish_detail')}) before its value was whole\n"
                    "  to do: allow more (max_tokens, the context), or ask for a smaller value",
                    llm_output=str(generation.message.content),
                )
        parsed: Any = super().parse_result(result, partial=partial)  # type: ignore[misc]
        return parsed


class _WholeJson(_Whole, JsonOutputParser):
    pass


class _WholeModel(_Whole, PydanticOutputParser[Any]):
    pass


class _WholeCall(_Whole, JsonOutputKeyToolsParser):
    pass


class _WholeModelCall(_Whole, PydanticToolsParser):
    pass


def structured(
    chat: ChatScaffold, schema: dict[str, Any] | type | None, method: str, include_raw: bool, options: dict[str, Any]
) -> Runnable[LanguageModelInput, Any]:
    """The chat model with answers that are values of a schema."""
    if method not in _METHODS:
        raise usage(f"method is {method!r}\n  accepted: {', '.join(_METHODS)}", "method")
    if schema is None and method != "json_mode":
        raise usage(f"method is {method!r}, which needs a schema", "schema", "pass one", 'pass method="json_mode" for any object')
    if schema is not None and method == "function_calling":
        model, parser = _by_call(chat, schema, options)
    else:
        model, parser = _by_text(chat, schema, method, options)
    if not include_raw:
        return model | parser
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | parsed.with_fallbacks([failed], exception_key="parsing_error")


def _by_text(
    chat: ChatScaffold, schema: dict[str, Any] | type | None, method: str, options: dict[str, Any]
) -> tuple[Runnable[LanguageModelInput, Any], OutputParserLike[Any]]:
    held: Any = dict if schema is None else convert_to_json_schema(schema)
    model = chat.bind(schema=held, ls_structured_output_format=_told(schema or {}, method), **options)
    if _is_model(schema):
        return model, _WholeModel(pydantic_object=cast("type[Any]", schema))
    return model, _WholeJson()


def _by_call(
    chat: ChatScaffold, schema: dict[str, Any] | type, options: dict[str, Any]
) -> tuple[Runnable[LanguageModelInput, Any], OutputParserLike[Any]]:
    name = convert_to_openai_tool(schema)["function"]["name"]
    model = chat.bind_tools(
        [schema],
        tool_choice=name,
        parallel_tool_calls=False,
        ls_structured_output_format=_told(schema, "function_calling"),
        **options,
    )
    if _is_model(schema):
        return model, _WholeModelCall(tools=[cast("type[Any]", schema)], first_tool_only=True)
    return model, _WholeCall(key_name=name, first_tool_only=True)


def _told(schema: Any, method: str) -> dict[str, Any]:
    """For tracers."""
    return {"kwargs": {"method": method}, "schema": schema}


def _is_model(schema: Any) -> bool:
    return isinstance(schema, type) and is_basemodel_subclass(schema)

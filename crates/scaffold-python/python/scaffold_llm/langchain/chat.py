"""A language model as a chat model of LangChain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, run_in_executor
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr

from ..answers import Answer
from ..async_llm import AsyncLLM
from ..errors import usage
from ..llm import LLM
from ..options import ChatOptions, check_known
from ..shared import shared
from .messages import chat_of, chunk_of, last_chunk_of, message_of
from .structured import Method, structured

# Names of LangChain's for what the library calls otherwise.
_RENAMED = {"max_tokens": "max_new_tokens", "timeout": "max_wait"}
_FIELDS = ("temperature", "max_tokens", "top_p", "top_k", "min_p", "seed", "stop", "timeout")


class ChatScaffold(BaseChatModel):
    """A language model in this process, as a chat model of LangChain.

    The model is loaded with the first call. Objects that name the same model with the same options share one copy of it, and calls of
    all of them are computed together.

    ::

        chat = ChatScaffold(model="starter", temperature=0, max_tokens=100)
        chat.invoke("What is sustainability?")
        chat.bind_tools([weather], tool_choice="any").invoke("Weather in Rome?").tool_calls
        chat.with_structured_output(City).invoke("Name a city in Germany.")
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", populate_by_name=True)

    model: str | None = Field(default=None, alias="model_name")
    """A repository, a directory, a GGUF file or an alias; without one, the model that the setting ``LLM_MODEL`` names."""
    llm: LLM | None = Field(default=None, exclude=True)
    """A model that is loaded already, instead of a name."""
    load_options: dict[str, Any] = Field(default_factory=dict)
    """How the model is loaded: see :class:`scaffold_llm.LoadOptions`."""
    temperature: float | None = None
    """How far the choice of tokens is spread; 0 always takes the likeliest."""
    max_tokens: int | None = Field(default=None, alias="max_new_tokens")
    """New tokens in an answer, at most."""
    top_p: float | None = None
    """Draws from the likeliest tokens that make up this share."""
    top_k: int | None = None
    """Draws from this many of the likeliest tokens."""
    min_p: float | None = None
    """Draws from tokens at least this fraction as likely as the likeliest."""
    seed: int | None = None
    """Where random numbers begin: the same seed gives the same answer."""
    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    """An answer ends before the first of these texts."""
    logprobs: bool | None = None
    """Tells the log-probability of each token, in ``response_metadata["logprobs"]``."""
    top_logprobs: int | None = None
    """And those of so many of the most probable ones in its place."""
    timeout: float | None = None
    """Seconds that a request may wait until it is begun."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of answers: see :class:`scaffold_llm.ChatOptions`."""
    streaming: bool = False
    """``invoke`` goes by way of a stream, so that callbacks hear of each piece."""
    max_retries: int | None = None
    """For code that was written for servers: nothing is sent here that could get lost, and nothing is retried."""
    api_key: Any = Field(default=None, exclude=True, repr=False)
    """For code that was written for servers: nobody asks for it."""

    _others: dict[str, LLM] = PrivateAttr(default_factory=dict)
    # One for each model, as it keeps the places of all tasks.
    _async: dict[str, AsyncLLM] = PrivateAttr(default_factory=dict)

    # The model.

    def loaded(self, model: str | None = None) -> LLM:
        """The model in memory; it is loaded if it is not there.

        Args:
            model: another model than the object's own. It stays in memory for as long as the object is there.
        """
        if model is not None and model != self.model:
            if model not in self._others:
                self._others[model] = shared(LLM, model, self.load_options)
            return self._others[model]
        if self.llm is None:
            self.llm = shared(LLM, self.model, self.load_options)
        return self.llm

    def __getstate__(self) -> dict[Any, Any]:
        # What a name says is loaded where it is needed, and shared there; models that were given travel as handles do.
        state = dict(super().__getstate__())
        if self.model is not None:
            state["__dict__"] = {**state["__dict__"], "llm": None}
        state["__pydantic_private__"] = {**(state["__pydantic_private__"] or {}), "_others": {}, "_async": {}}
        return state

    @property
    def _llm_type(self) -> str:
        return "scaffold-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model": self.model or (self.llm and self.llm.name), **self._defaults()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        told = LangSmithParams(
            ls_provider="scaffold",
            ls_model_type="chat",
            ls_model_name=kwargs.get("model") or self.model or (self.llm.name if self.llm else "LLM_MODEL"),
        )
        temperature = kwargs.get("temperature", self.temperature)
        if temperature is not None:
            told["ls_temperature"] = temperature
        limit = kwargs.get("max_tokens", self.max_tokens)
        if limit is not None:
            told["ls_max_tokens"] = limit
        ends = stop or self.stop
        if ends:
            told["ls_stop"] = [ends] if isinstance(ends, str) else list(ends)
        return told

    def get_token_ids(self, text: str) -> list[int]:
        """The token ids of a text."""
        return self.loaded().tokenize(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Tokens of a chat as the model reads it."""
        described = [convert_to_openai_tool(tool) for tool in tools or ()]
        return self.loaded().count_tokens(chat_of(messages), tools=described or None)

    # Answers.

    def _defaults(self) -> dict[str, Any]:
        said = {_RENAMED.get(name, name): getattr(self, name) for name in _FIELDS}
        if self.logprobs or self.top_logprobs:
            said["logprobs"] = self.top_logprobs or True
        return {name: value for name, value in {**self.options, **said}.items() if value is not None}

    def _asked(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> tuple[LLM, dict[str, Any]]:
        """The model that answers, and how."""
        said = {_RENAMED.get(name, name): value for name, value in kwargs.items()}
        model = said.pop("model", None)
        top = said.pop("top_logprobs", None)
        if top:
            said["logprobs"] = top
        check_known(said, [*ChatOptions.__annotations__, "schema"], "ChatScaffold")
        options = {**self._defaults(), **said}
        if stop:
            options["stop"] = stop
        # An empty list ends nothing, and no text may be empty.
        if not options.get("stop"):
            options.pop("stop", None)
        return self.loaded(model), options

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        llm, options = self._asked(stop, kwargs)
        return _result(llm.chat(chat_of(messages), **options), llm)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model, options = await self._asked_async(stop, kwargs)
        return _result(await model.chat(chat_of(messages), **options), model.llm)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        llm, options = self._asked(stop, kwargs)
        calls = 0
        with llm.chat_stream(chat_of(messages), **options) as stream:
            for piece in stream.pieces():
                chunk = chunk_of(piece, calls)
                calls += len(piece.calls)
                if chunk is not None:
                    told = ChatGenerationChunk(message=chunk)
                    if run_manager:
                        run_manager.on_llm_new_token(piece.text, chunk=told)
                    yield told
            yield ChatGenerationChunk(message=last_chunk_of(stream.answer, llm.name))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        model, options = await self._asked_async(stop, kwargs)
        calls = 0
        async with model.chat_stream(chat_of(messages), **options) as stream:
            async for piece in stream.pieces():
                chunk = chunk_of(piece, calls)
                calls += len(piece.calls)
                if chunk is not None:
                    told = ChatGenerationChunk(message=chunk)
                    if run_manager:
                        await run_manager.on_llm_new_token(piece.text, chunk=told)
                    yield told
            yield ChatGenerationChunk(message=last_chunk_of(stream.answer, model.name))

    async def _asked_async(
        self, stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[AsyncLLM, dict[str, Any]]:
        """As :meth:`_asked`, without holding up the loop where the model has to be loaded."""
        llm, options = await run_in_executor(None, self._asked, stop, kwargs)
        name = llm.name
        if name not in self._async:
            self._async[name] = AsyncLLM(llm)
        return self._async[name], options

    # Tools and values.

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | Mapping[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call.

        Args:
            tools: functions, LangChain's tools, pydantic models or dictionaries.
            tool_choice: ``auto``, ``none``, ``any`` or ``required`` (one has to be called), a tool's name, OpenAI's object, or ``True``:
                the only tool has to be called. What has to be a call is one, whatever the model is, with arguments that keep to the
                tool's schema.
            parallel_tool_calls: ``False`` makes an answer that has to call do so once.
            strict: changes nothing: calls that have to be made always keep to their schemas.
            kwargs: further options of the answers.
        """
        described = [_described(tool) for tool in tools]
        if tool_choice is not None:
            kwargs["tool_choice"] = _choice(tool_choice, [tool["function"]["name"] for tool in described])
        if parallel_tool_calls is False:
            kwargs["one_call"] = True
        return cast("Runnable[LanguageModelInput, AIMessage]", super().bind(tools=described, **kwargs))

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: Method = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model with answers that are values.

        Args:
            schema: a pydantic model, a ``TypedDict``, or a JSON schema: a class gives instances (of a ``TypedDict`` dictionaries).
            include_raw: gives a dictionary: the message (``raw``), the value (``parsed``), and what went wrong (``parsing_error``).
            method: ``json_schema`` holds the answer to the schema, ``function_calling`` has the model call a tool with it, and
                ``json_mode`` holds the answer to it as ``json_schema`` does, which more than keeps that mode's promise.
            strict: changes nothing: answers always keep to the schema.
            kwargs: further options of the answers.
        """
        return structured(self, schema, method, include_raw, kwargs)


def _described(tool: Any) -> dict[str, Any]:
    """A tool as the library takes it. What is made of a function's signature takes no arguments that the function has not."""
    described = convert_to_openai_tool(tool)
    parameters = described["function"].get("parameters")
    if isinstance(tool, Mapping) or not isinstance(parameters, dict) or "additionalProperties" in parameters:
        return described
    closed = {"type": "object", "properties": {}, **parameters, "additionalProperties": False}
    return {**described, "function": {**described["function"], "parameters": closed}}


def _choice(choice: str | bool | Mapping[str, Any], names: Sequence[str]) -> str | Mapping[str, Any]:
    if choice is True:
        if len(names) != 1:
            raise usage(
                f"tool_choice is True, which means the only tool, and there are {len(names)}\n"
                f"  accepted: auto, none, any, required, {', '.join(names)}",
                "tool_choice",
            )
        return names[0]
    if choice is False:
        return "none"
    if choice == "any":
        return "required"
    if isinstance(choice, str) and choice not in ("auto", "none", "required", *names):
        raise usage(
            f"tool_choice is {choice!r}, and there is no tool of this name\n"
            f"  accepted: auto, none, any, required, {', '.join(names)}",
            "tool_choice",
        )
    return choice


def _result(answer: Answer[Any], llm: LLM) -> ChatResult:
    message = message_of(answer, llm.name)
    return ChatResult(generations=[ChatGeneration(message=message)])

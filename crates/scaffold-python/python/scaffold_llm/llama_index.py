"""Scaffold's models as components of LlamaIndex: a language model that calls tools, and embeddings, in this process.

::

    from llama_index.core import Settings
    from scaffold_llm.llama_index import ScaffoldEmbedding, ScaffoldLLM

    Settings.llm = ScaffoldLLM(model="starter", temperature=0)
    Settings.embed_model = ScaffoldEmbedding(model="all-minilm")
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .extras import need

need("llama-index", "llama_index.core")

from llama_index.core.base.embeddings.base import BaseEmbedding  # noqa: E402
from llama_index.core.base.llms.types import (  # noqa: E402
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback  # noqa: E402
from llama_index.core.llms.function_calling import FunctionCallingLLM  # noqa: E402
from llama_index.core.llms.llm import ToolSelection  # noqa: E402
from pydantic import Field, PrivateAttr  # noqa: E402

from .answers import Answer, Piece  # noqa: E402
from .async_llm import AsyncLLM  # noqa: E402
from .embedder import Embedder  # noqa: E402
from .errors import usage  # noqa: E402
from .llm import LLM  # noqa: E402
from .shared import shared  # noqa: E402

if TYPE_CHECKING:
    from llama_index.core.prompts import PromptTemplate
    from llama_index.core.tools.types import BaseTool

__all__ = ["ScaffoldEmbedding", "ScaffoldLLM"]


class ScaffoldLLM(FunctionCallingLLM):
    """A language model in this process. It is loaded with the first call, and shared by objects that name the same one."""

    model: str | None = Field(default=None, description="A repository, a directory, a GGUF file or an alias.")
    temperature: float | None = Field(default=None, description="How far the choice of tokens is spread.")
    max_tokens: int | None = Field(default=None, description="New tokens in an answer, at most.")
    options: dict[str, Any] = Field(default_factory=dict, description="Further options of answers: see ChatOptions.")
    load_options: dict[str, Any] = Field(default_factory=dict, description="How the model is loaded: see LoadOptions.")

    _llm: LLM | None = PrivateAttr(default=None)
    # It keeps the places of all tasks.
    _async: AsyncLLM | None = PrivateAttr(default=None)

    def __init__(self, llm: LLM | None = None, **fields: Any) -> None:
        super().__init__(**fields)
        self._llm = llm

    @classmethod
    def class_name(cls) -> str:
        """The name by which LlamaIndex keeps it."""
        return "ScaffoldLLM"

    def loaded(self) -> LLM:
        """The model in memory; it is loaded if it is not there."""
        if self._llm is None:
            self._llm = shared(LLM, self.model, self.load_options)
        return self._llm

    async def _loaded_async(self) -> AsyncLLM:
        llm = await asyncio.to_thread(self.loaded)
        if self._async is None:
            self._async = AsyncLLM(llm)
        return self._async

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex cuts its prompts by."""
        llm = self.loaded()
        return LLMMetadata(
            context_window=int(llm.info["context"]),
            num_output=self.max_tokens or 256,
            is_chat_model=True,
            is_function_calling_model=True,
            model_name=llm.name,
        )

    def _options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        own = {"temperature": self.temperature, "max_new_tokens": self.max_tokens}
        said = {**self.options, **{name: value for name, value in own.items() if value is not None}, **kwargs}
        if "max_tokens" in said:
            said["max_new_tokens"] = said.pop("max_tokens")
        return said

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The assistant's next message."""
        return _response(self.loaded().chat(_chat_of(messages), **self._options(kwargs)))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The assistant's next message, as far as it has come, with each piece."""
        stream = self.loaded().chat_stream(_chat_of(messages), **self._options(kwargs))

        def pieces() -> ChatResponseGen:
            so_far = _SoFar()
            with stream:
                for piece in stream.pieces():
                    yield so_far.with_piece(piece)
                yield _response(stream.answer, so_far.ids, delta="")

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The answer to a prompt, which is a user's words."""
        answer = self.loaded().generate(prompt, **self._options(kwargs))
        return CompletionResponse(text=answer.text, raw=_told(answer))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The answer to a prompt, as far as it has come, with each piece."""
        stream = self.loaded().generate_stream(prompt, **self._options(kwargs))

        def pieces() -> CompletionResponseGen:
            text = ""
            with stream:
                for piece in stream:
                    text += piece
                    yield CompletionResponse(text=text, delta=piece)
                yield CompletionResponse(text=text, delta="", raw=_told(stream.answer))

        return pieces()

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As :meth:`chat`, for asyncio."""
        model = await self._loaded_async()
        return _response(await model.chat(_chat_of(messages), **self._options(kwargs)))

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """As :meth:`stream_chat`, for asyncio."""
        model = await self._loaded_async()
        stream = model.chat_stream(_chat_of(messages), **self._options(kwargs))

        async def pieces() -> ChatResponseAsyncGen:
            so_far = _SoFar()
            async with stream:
                async for piece in stream.pieces():
                    yield so_far.with_piece(piece)
                yield _response(stream.answer, so_far.ids, delta="")

        return pieces()

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As :meth:`complete`, for asyncio."""
        model = await self._loaded_async()
        answer = await model.generate(prompt, **self._options(kwargs))
        return CompletionResponse(text=answer.text, raw=_told(answer))

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        """As :meth:`stream_complete`, for asyncio."""
        model = await self._loaded_async()
        stream = model.generate_stream(prompt, **self._options(kwargs))

        async def pieces() -> CompletionResponseAsyncGen:
            text = ""
            async with stream:
                async for piece in stream:
                    text += piece
                    yield CompletionResponse(text=text, delta=piece)
                yield CompletionResponse(text=text, delta="", raw=_told(stream.answer))

        return pieces()

    # Tools and values.

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if user_msg is not None:
            messages.append(ChatMessage(role=MessageRole.USER, content=user_msg) if isinstance(user_msg, str) else user_msg)
        said: dict[str, Any] = {"tools": [tool.metadata.to_openai_tool() for tool in tools] or None, **kwargs}
        said.setdefault("tool_choice", "required" if tool_required else "auto")
        if not allow_parallel_tool_calls:
            said["one_call"] = True
        return {"messages": messages, **said}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The calls that a message makes."""
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError(f"the message calls no tool: {response.message.content!r}\n  to do: pass tool_required=True")
        return [
            ToolSelection(tool_id=call.tool_call_id or _call_id(), tool_name=call.tool_name, tool_kwargs=_arguments(call))
            for call in calls
        ]

    def structured_predict(
        self, output_cls: type[Any], prompt: PromptTemplate, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> Any:
        """The answer as an instance of a class: it keeps to the class's schema, whatever the model is."""
        messages = self._get_messages(prompt, **prompt_args)
        return self.loaded().chat_as(output_cls, _chat_of(messages), **self._options(dict(llm_kwargs or {})))

    async def astructured_predict(
        self, output_cls: type[Any], prompt: PromptTemplate, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> Any:
        """As :meth:`structured_predict`, for asyncio."""
        model = await self._loaded_async()
        messages = self._get_messages(prompt, **prompt_args)
        return await model.chat_as(output_cls, _chat_of(messages), **self._options(dict(llm_kwargs or {})))


class ScaffoldEmbedding(BaseEmbedding):
    """An embedder in this process, with the model's own prompts for queries and texts."""

    model: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", description="A repository, a directory or an alias.")
    load_options: dict[str, Any] = Field(default_factory=dict, description="How the model is loaded: see LoadOptions.")

    _embedder: Embedder | None = PrivateAttr(default=None)

    def __init__(self, embedder: Embedder | None = None, **fields: Any) -> None:
        super().__init__(**fields)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        """The name by which LlamaIndex keeps it."""
        return "ScaffoldEmbedding"

    def loaded(self) -> Embedder:
        """The model in memory; it is loaded if it is not there."""
        if self._embedder is None:
            self._embedder = shared(Embedder, self.model, self.load_options)
        return self._embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = self.loaded().encode_query(query).tolist()
        return vector

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self.loaded().encode_document(texts).tolist()
        return vectors

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


class _SoFar:
    """What has come of a message; LlamaIndex gives all of it with each piece."""

    def __init__(self) -> None:
        self._text = ""
        self._thoughts = ""
        self._calls: list[Any] = []
        self.ids: list[str] = []

    def with_piece(self, piece: Piece) -> ChatResponse:
        self._text += piece.text
        self._thoughts += piece.thought
        self._calls += piece.calls
        self.ids += [_call_id() for _ in piece.calls]
        message = _message(self._text, self._thoughts, self._calls, self.ids)
        return ChatResponse(message=message, delta=piece.text)


def _response(answer: Answer[Any], ids: list[str] | None = None, delta: str | None = None) -> ChatResponse:
    ids = ids if ids is not None else [_call_id() for _ in answer.calls]
    return ChatResponse(message=_message(answer.text, answer.thoughts, answer.calls, ids), raw=_told(answer), delta=delta)


def _message(text: str, thoughts: str, calls: Sequence[Any], ids: Sequence[str]) -> ChatMessage:
    blocks: list[Any] = [ThinkingBlock(content=thoughts)] if thoughts else []
    blocks.append(TextBlock(text=text))
    for call, name in zip(calls, ids):
        blocks.append(ToolCallBlock(tool_call_id=name, tool_name=call.name, tool_kwargs=call.arguments))
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def _told(answer: Answer[Any]) -> dict[str, Any]:
    """What LlamaIndex has as raw: in the words of OpenAI's usage, which its counters of tokens read."""
    usage = answer.usage
    return {
        "finish_reason": answer.finish_reason,
        "finish_detail": answer.finish_detail,
        "seed": answer.seed,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
    }


def _chat_of(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    return [_written(message, place) for place, message in enumerate(messages)]


def _written(message: ChatMessage, place: int) -> dict[str, Any]:
    role = "system" if message.role == MessageRole.DEVELOPER else message.role.value
    text, thoughts, calls = "", "", []
    for block in message.blocks:
        if isinstance(block, TextBlock):
            text += block.text
        elif isinstance(block, ThinkingBlock):
            thoughts += block.content or ""
        elif isinstance(block, ToolCallBlock):
            function = {"name": block.tool_name, "arguments": json.dumps(_arguments(block), ensure_ascii=False)}
            calls.append({"id": block.tool_call_id or _call_id(), "type": "function", "function": function})
        else:
            raise usage(
                f"message {place} has a part of the type {block.block_type!r}, and the models read text\n  accepted: text, thinking, tool_call",
                "messages",
            )
    told: dict[str, Any] = {"role": "tool" if role == "function" else role, "content": text}
    if thoughts:
        told["reasoning_content"] = thoughts
    if calls:
        told["tool_calls"] = calls
    if message.additional_kwargs.get("tool_call_id"):
        told["tool_call_id"] = message.additional_kwargs["tool_call_id"]
    if message.additional_kwargs.get("name"):
        told["name"] = message.additional_kwargs["name"]
    return told


def _arguments(call: ToolCallBlock) -> dict[str, Any]:
    if isinstance(call.tool_kwargs, str):
        read: dict[str, Any] = json.loads(call.tool_kwargs or "{}")
        return read
    return call.tool_kwargs


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"

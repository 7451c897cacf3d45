"""Scaffold's models as components of Haystack: a chat generator, embedders and a ranker, in this process.

::

    from scaffold_llm.haystack import ScaffoldChatGenerator

    generator = ScaffoldChatGenerator(model="starter", generation_kwargs={"temperature": 0})
    print(generator.run([ChatMessage.from_user("Name a river.")])["replies"][0].text)
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

from .extras import need

need("haystack", "haystack")

from haystack import Document, component, default_from_dict, default_to_dict  # noqa: E402
from haystack.dataclasses import (  # noqa: E402
    ChatMessage,
    StreamingCallbackT,
    StreamingChunk,
    ToolCall,
    select_streaming_callback,
)
from haystack.tools import (  # noqa: E402
    ToolsType,
    deserialize_tools_or_toolset_inplace,
    flatten_tools_or_toolsets,
    serialize_tools_or_toolset,
)
from haystack.utils import deserialize_callable, serialize_callable  # noqa: E402

from .answers import Answer, Piece  # noqa: E402
from .async_llm import AsyncLLM  # noqa: E402
from .cross_encoder import CrossEncoder  # noqa: E402
from .embedder import Embedder  # noqa: E402
from .errors import usage  # noqa: E402
from .llm import LLM  # noqa: E402
from .shared import shared  # noqa: E402

__all__ = ["ScaffoldChatGenerator", "ScaffoldDocumentEmbedder", "ScaffoldRanker", "ScaffoldTextEmbedder"]


@component
class ScaffoldChatGenerator:
    """A language model in this process.

    Args:
        model: a repository, a directory, a GGUF file or an alias.
        generation_kwargs: how answers are made: see :class:`scaffold_llm.ChatOptions`, ``schema``, and ``max_tokens``.
        tools: tools that the model may call.
        streaming_callback: hears of each piece.
        load_options: how the model is loaded: see :class:`scaffold_llm.LoadOptions`.
    """

    def __init__(
        self,
        model: str = "starter",
        generation_kwargs: dict[str, Any] | None = None,
        tools: ToolsType | None = None,
        streaming_callback: StreamingCallbackT | None = None,
        load_options: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.generation_kwargs = generation_kwargs or {}
        self.tools = tools
        self.streaming_callback = streaming_callback
        self.load_options = load_options or {}
        self._llm: LLM | None = None
        # It keeps the places of all tasks.
        self._async: AsyncLLM | None = None

    def warm_up(self) -> None:
        """Loads the model, unless it is in memory."""
        if self._llm is None:
            self._llm = shared(LLM, self.model, self.load_options)

    def to_dict(self) -> dict[str, Any]:
        """The component as a pipeline's file has it."""
        callback = serialize_callable(self.streaming_callback) if self.streaming_callback else None
        written: dict[str, Any] = default_to_dict(
            self,
            model=self.model,
            generation_kwargs=self.generation_kwargs,
            tools=serialize_tools_or_toolset(self.tools),
            streaming_callback=callback,
            load_options=self.load_options,
        )
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ScaffoldChatGenerator:
        """The component that a pipeline's file has."""
        said = data["init_parameters"]
        deserialize_tools_or_toolset_inplace(said, key="tools")
        if said.get("streaming_callback"):
            said["streaming_callback"] = deserialize_callable(said["streaming_callback"])
        made: ScaffoldChatGenerator = default_from_dict(cls, data)
        return made

    @component.output_types(replies=list[ChatMessage])
    def run(
        self,
        messages: list[ChatMessage] | str,
        streaming_callback: StreamingCallbackT | None = None,
        generation_kwargs: dict[str, Any] | None = None,
        tools: ToolsType | None = None,
    ) -> dict[str, list[ChatMessage]]:
        """The assistant's next message (``replies``)."""
        self.warm_up()
        assert self._llm is not None
        callback = select_streaming_callback(self.streaming_callback, streaming_callback, requires_async=False)
        with self._llm.chat_stream(_chat_of(messages), **self._options(generation_kwargs, tools)) as stream:
            if callback is None:
                return {"replies": [_reply(stream.wait(), self._llm.name)]}
            for place, piece in enumerate(stream.pieces()):
                if piece.text:
                    callback(_chunk(piece, place, self._llm.name))
            return {"replies": [_reply(stream.answer, self._llm.name)]}

    @component.output_types(replies=list[ChatMessage])
    async def run_async(
        self,
        messages: list[ChatMessage] | str,
        streaming_callback: StreamingCallbackT | None = None,
        generation_kwargs: dict[str, Any] | None = None,
        tools: ToolsType | None = None,
    ) -> dict[str, list[ChatMessage]]:
        """As :meth:`run`, for asyncio."""
        await asyncio.to_thread(self.warm_up)
        assert self._llm is not None
        if self._async is None:
            self._async = AsyncLLM(self._llm)
        callback: Any = select_streaming_callback(self.streaming_callback, streaming_callback, requires_async=True)
        said = self._options(generation_kwargs, tools)
        async with self._async.chat_stream(_chat_of(messages), **said) as stream:
            if callback is None:
                return {"replies": [_reply(await stream.wait(), self._llm.name)]}
            place = 0
            async for piece in stream.pieces():
                if piece.text:
                    await callback(_chunk(piece, place, self._llm.name))
                    place += 1
            return {"replies": [_reply(stream.answer, self._llm.name)]}

    def _options(self, generation_kwargs: dict[str, Any] | None, tools: ToolsType | None) -> dict[str, Any]:
        said = {**self.generation_kwargs, **(generation_kwargs or {})}
        if "max_tokens" in said:
            said["max_new_tokens"] = said.pop("max_tokens")
        described = [
            {"type": "function", "function": tool.tool_spec} for tool in flatten_tools_or_toolsets(tools or self.tools)
        ]
        return {**said, "tools": described} if described else said


def _chat_of(messages: list[ChatMessage] | str) -> list[dict[str, Any]]:
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    chat = []
    for place, message in enumerate(messages):
        told = message.to_openai_dict_format(require_tool_call_ids=False)
        if isinstance(told.get("content"), list):
            told["content"] = "".join(_text(part, place) for part in told["content"])
        chat.append({**told, "content": told.get("content") or ""})
    return chat


def _text(part: dict[str, Any], place: int) -> str:
    if part["type"] != "text":
        raise usage(
            f"message {place} has a part of the type {part['type']!r}, and the models read text\n  accepted: text", "messages"
        )
    return str(part["text"])


def _reply(answer: Answer[Any], model: str) -> ChatMessage:
    calls = [
        ToolCall(tool_name=call.name, arguments=call.arguments, id=f"call_{uuid.uuid4().hex[:24]}") for call in answer.calls
    ]
    finish = "tool_calls" if calls and answer.finish_reason == "stop" else answer.finish_reason
    meta = {
        "model": model,
        "finish_reason": finish,
        "seed": answer.seed,
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
            "total_tokens": answer.usage.total_tokens,
        },
    }
    return ChatMessage.from_assistant(answer.text, meta=meta, tool_calls=calls, reasoning=answer.thoughts or None)


def _chunk(piece: Piece, place: int, model: str) -> StreamingChunk:
    return StreamingChunk(content=piece.text, meta={"model": model}, index=0, start=place == 0)


class _Embeds:
    """What both embedders are told."""

    def __init__(
        self,
        model: str = "sentence-transformers/all-MiniLM-L6-v2",
        normalize: bool = False,
        truncate: bool = True,
        load_options: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.normalize = normalize
        self.truncate = truncate
        self.load_options = load_options or {}
        self._embedder: Embedder | None = None

    def warm_up(self) -> None:
        """Loads the model, unless it is in memory."""
        if self._embedder is None:
            self._embedder = shared(Embedder, self.model, self.load_options)

    def _embedded(self, texts: list[str], query: bool) -> list[list[float]]:
        self.warm_up()
        assert self._embedder is not None
        found = self._embedder.embed(
            texts, query=query, document=not query, truncate=self.truncate, normalize=self.normalize
        )
        vectors: list[list[float]] = found.values.tolist()
        return vectors


@component
class ScaffoldTextEmbedder(_Embeds):
    """Embeds what is looked for, with the model's prompt for queries.

    Args:
        model: a repository, a directory or an alias.
        normalize: scales every vector to length 1, also where the model does not.
        truncate: texts that are too long are cut; otherwise they are an error.
        load_options: how the model is loaded: see :class:`scaffold_llm.LoadOptions`.
    """

    @component.output_types(embedding=list[float], meta=dict[str, Any])
    def run(self, text: str) -> dict[str, Any]:
        """The vector of a text (``embedding``)."""
        if not isinstance(text, str):
            raise usage(f"text is {type(text).__name__}\n  accepted: a text", "text", "for documents take ScaffoldDocumentEmbedder")
        return {"embedding": self._embedded([text], query=True)[0], "meta": {"model": self.model}}


@component
class ScaffoldDocumentEmbedder(_Embeds):
    """Embeds documents, with the model's prompt for them; the arguments are those of :class:`ScaffoldTextEmbedder`, and:

    Args:
        meta_fields_to_embed: fields of ``meta`` that are put before the content, a line each.
    """

    def __init__(
        self,
        model: str = "sentence-transformers/all-MiniLM-L6-v2",
        normalize: bool = False,
        truncate: bool = True,
        load_options: dict[str, Any] | None = None,
        meta_fields_to_embed: list[str] | None = None,
    ) -> None:
        # The decorator makes the class anew, so that `super` without arguments would look for another one.
        _Embeds.__init__(self, model, normalize, truncate, load_options)
        self.meta_fields_to_embed = meta_fields_to_embed or []

    @component.output_types(documents=list[Document], meta=dict[str, Any])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """The documents with their vectors (``documents``)."""
        vectors = self._embedded([self._text(document) for document in documents], query=False)
        done = [replace(document, embedding=vector) for document, vector in zip(documents, vectors)]
        return {"documents": done, "meta": {"model": self.model}}

    def _text(self, document: Document) -> str:
        fields = [str(document.meta[name]) for name in self.meta_fields_to_embed if document.meta.get(name)]
        return "\n".join([*fields, document.content or ""])


@component
class ScaffoldRanker:
    """Puts documents in the order in which they answer a query.

    Args:
        model: a repository, a directory or an alias.
        top_k: keeps so many documents.
        truncate: pairs that are too long are cut; otherwise they are an error.
        load_options: how the model is loaded: see :class:`scaffold_llm.LoadOptions`.
    """

    def __init__(
        self,
        model: str = "cross-encoder/ms-marco-MiniLM-L-6-v2",
        top_k: int = 10,
        truncate: bool = True,
        load_options: dict[str, Any] | None = None,
    ) -> None:
        if top_k < 1:
            raise usage(f"top_k is {top_k}\n  accepted: 1 or more", "top_k")
        self.model = model
        self.top_k = top_k
        self.truncate = truncate
        self.load_options = load_options or {}
        self._ranker: CrossEncoder | None = None

    def warm_up(self) -> None:
        """Loads the model, unless it is in memory."""
        if self._ranker is None:
            self._ranker = shared(CrossEncoder, self.model, self.load_options)

    @component.output_types(documents=list[Document])
    def run(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, list[Document]]:
        """The best documents, best first, with their scores (``documents``)."""
        if not documents:
            return {"documents": []}
        self.warm_up()
        assert self._ranker is not None
        texts = [document.content or "" for document in documents]
        ranked = self._ranker.rerank(query, texts, top_k or self.top_k, truncate=self.truncate)
        return {"documents": [replace(documents[one.index], score=one.score) for one in ranked]}

"""LangChain's messages as the library takes them, and the library's answers as LangChain's messages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk

from ..answers import Answer, Call, Candidate, Logprob, Piece
from ..errors import usage

PROVIDER = "scaffold"

# What stands in a message's content beside its text, and is told by other fields of it.
_TOLD_ELSEWHERE = ("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "non_standard")


def chat_of(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Messages as the library takes them."""
    return [_written(message, place) for place, message in enumerate(messages)]


def _written(message: BaseMessage, place: int) -> dict[str, Any]:
    text, thoughts = _content(message, place)
    told: dict[str, Any] = {"role": _role(message), "content": text}
    if message.name:
        told["name"] = message.name
    if isinstance(message, AIMessage):
        thoughts = thoughts or str(message.additional_kwargs.get("reasoning_content") or "")
        if thoughts:
            told["reasoning_content"] = thoughts
        if message.tool_calls:
            told["tool_calls"] = [
                {
                    "id": call["id"] or _call_id(),
                    "type": "function",
                    "function": {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)},
                }
                for call in message.tool_calls
            ]
    if isinstance(message, ToolMessage):
        told["tool_call_id"] = message.tool_call_id
    return told


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for kind, role in (
        (HumanMessage, "user"),
        (AIMessage, "assistant"),
        (SystemMessage, "system"),
        (ToolMessage, "tool"),
        (FunctionMessage, "tool"),
    ):
        if isinstance(message, kind):
            return role
    raise usage(
        f"a message of the type {message.type!r} has no role in a chat\n  accepted: human, ai, system, tool, chat", "messages"
    )


def _content(message: BaseMessage, place: int) -> tuple[str, str]:
    """Text and thoughts of a message."""
    if isinstance(message.content, str):
        return message.content, ""
    text, thoughts = "", ""
    for block in message.content:
        if isinstance(block, str):
            text += block
            continue
        kind = block.get("type")
        if kind == "text":
            text += block.get("text") or ""
        elif kind in ("reasoning", "thinking"):
            thoughts += block.get("reasoning") or block.get("thinking") or ""
        elif kind not in _TOLD_ELSEWHERE:
            raise usage(
                f"message {place} has a part of the type {kind!r}, and the models read text\n  accepted: text, reasoning",
                "messages",
                "leave the part out, or put what it says into words",
            )
    return text, thoughts


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


def message_of(answer: Answer[Any], model: str) -> AIMessage:
    """An answer as a message."""
    calls, broken = [], []
    for call in answer.calls:
        try:
            calls.append(tool_call(name=call.name, args=call.arguments, id=_call_id()))
        except ValueError as error:
            broken.append(invalid_tool_call(name=call.name, args=call.text, id=_call_id(), error=str(error)))
    told = ending_of(answer, model)
    if answer.logprobs:
        told["logprobs"] = {"content": [_logprob(one) for one in answer.logprobs]}
    return AIMessage(
        content=answer.text,
        tool_calls=calls,
        invalid_tool_calls=broken,
        additional_kwargs=_thoughts(answer.thoughts),
        response_metadata=told,
        usage_metadata=usage_of(answer),
    )


def chunk_of(piece: Piece, calls: int) -> AIMessageChunk | None:
    """A piece as a chunk, if it tells something; ``calls`` came before it."""
    if not (piece.text or piece.thought or piece.calls or piece.logprobs):
        return None
    told: dict[str, Any] = {}
    if piece.logprobs:
        told["logprobs"] = {"content": [_logprob(one) for one in piece.logprobs]}
    return AIMessageChunk(
        content=piece.text,
        additional_kwargs=_thoughts(piece.thought),
        tool_call_chunks=[_call(call, calls + place) for place, call in enumerate(piece.calls)],
        response_metadata=told,
    )


def last_chunk_of(answer: Answer[Any], model: str) -> AIMessageChunk:
    """What is known of an answer when all of it has come."""
    return AIMessageChunk(
        content="", response_metadata=ending_of(answer, model), usage_metadata=usage_of(answer), chunk_position="last"
    )


def _call(call: Call, index: int) -> Any:
    return tool_call_chunk(name=call.name, args=call.text, id=_call_id(), index=index)


def _thoughts(thoughts: str) -> dict[str, Any]:
    return {"reasoning_content": thoughts} if thoughts else {}


def ending_of(answer: Answer[Any], model: str) -> dict[str, Any]:
    """Why an answer ended, and what repeats it."""
    finish = "tool_calls" if answer.calls and answer.finish_reason == "stop" else answer.finish_reason
    told = {
        "model_name": model,
        "model_provider": PROVIDER,
        "finish_reason": finish,
        "finish_detail": answer.finish_detail,
        "seed": answer.seed,
    }
    return {**told, "incomplete": True} if answer.incomplete else told


def usage_of(answer: Answer[Any]) -> UsageMetadata:
    """Tokens of an answer."""
    return UsageMetadata(
        input_tokens=answer.usage.prompt_tokens,
        output_tokens=answer.usage.completion_tokens,
        total_tokens=answer.usage.total_tokens,
        input_token_details=InputTokenDetails(cache_read=answer.usage.cached_tokens),
        output_token_details=OutputTokenDetails(reasoning=answer.thought_tokens),
    )


def _logprob(one: Logprob) -> dict[str, Any]:
    return {**_candidate(one), "top_logprobs": [_candidate(other) for other in one.top]}


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"token": one.token, "bytes": list(one.bytes), "logprob": one.logprob}

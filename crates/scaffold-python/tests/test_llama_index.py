"""LlamaIndex's components."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import stands_on

stands_on("llama_index.core")

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from scaffold_llm import LLM, Embedder, UsageError
from scaffold_llm.llama_index import ScaffoldEmbedding, ScaffoldLLM


@pytest.fixture
def model(llm: LLM) -> ScaffoldLLM:
    return ScaffoldLLM(llm=llm, max_tokens=20, options={"seed": 1})


class Sized(BaseModel):
    """A size."""

    size: bool


def both(a: bool, b: bool) -> bool:
    """Whether both are so."""
    return a and b


def test_answers_are_the_librarys_however_they_are_asked_for(model: ScaffoldLLM, llm: LLM) -> None:
    expected = llm.generate("x", seed=1, max_new_tokens=20)
    chat = [ChatMessage(role=MessageRole.USER, content="x")]
    assert model.complete("x").text == expected.text
    response = model.chat(chat)
    assert response.message.content == expected.text
    assert response.raw["usage"]["completion_tokens"] == expected.usage.completion_tokens
    *_, last = model.stream_chat(chat)
    assert last.message.content == expected.text and last.raw["finish_reason"] == expected.finish_reason
    pieces = list(model.stream_complete("x"))
    assert "".join(piece.delta or "" for piece in pieces) == pieces[-1].text == expected.text

    async def run() -> None:
        assert (await model.achat(chat)).message.content == expected.text
        assert (await model.acomplete("x")).text == expected.text
        deltas = [piece.delta async for piece in await model.astream_chat(chat)]
        assert "".join(deltas) == expected.text
        assert [piece.text async for piece in await model.astream_complete("x")][-1] == expected.text

    asyncio.run(run())
    assert model.metadata.context_window == 2048 and model.metadata.model_name == llm.name


def test_a_tool_is_called_and_its_result_read(model: ScaffoldLLM) -> None:
    tool = FunctionTool.from_defaults(fn=both)
    response = model.chat_with_tools([tool], "x", tool_required=True, max_tokens=200)
    (call,) = model.get_tool_calls_from_response(response)
    assert call.tool_name == "both" and set(call.tool_kwargs) == {"a", "b"}
    result = ChatMessage(role=MessageRole.TOOL, content="true", additional_kwargs={"tool_call_id": call.tool_id, "name": "both"})
    assert model.chat([ChatMessage(role=MessageRole.USER, content="x"), response.message, result]).raw["usage"]
    *_, last = model.stream_chat([ChatMessage(role=MessageRole.USER, content="x")], **{
        key: value for key, value in model._prepare_chat_with_tools([tool], "x", tool_required=True, max_tokens=200).items() if key != "messages"
    })
    assert model.get_tool_calls_from_response(last)[0].tool_kwargs == call.tool_kwargs
    with pytest.raises(ValueError, match="tool_required=True"):
        model.get_tool_calls_from_response(model.chat([ChatMessage(content="x")]))


def test_values_keep_to_their_schema(model: ScaffoldLLM) -> None:
    prompt = PromptTemplate("Is {what} large?")
    value = model.structured_predict(Sized, prompt, {"max_tokens": 200}, what="Rome")
    assert isinstance(value, Sized)
    assert asyncio.run(model.astructured_predict(Sized, prompt, {"max_tokens": 200}, what="Rome")) == value


def test_what_is_not_text_is_refused(model: ScaffoldLLM) -> None:
    message = ChatMessage(blocks=[TextBlock(text="x"), ImageBlock(image=b"x")])
    with pytest.raises(UsageError, match="message 0 has a part of the type 'image'"):
        model.chat([message])


def test_an_index_finds_by_the_embedder(embedder: Embedder, model: ScaffoldLLM) -> None:
    vectors: Any = ScaffoldEmbedding(embedder=embedder)
    assert vectors.get_query_embedding("river") == embedder.encode_query("river").tolist()
    texts = ["the river", "a market", "climate"]
    assert vectors.get_text_embedding_batch(texts) == embedder.encode_document(texts).tolist()
    assert asyncio.run(vectors.aget_text_embedding("river")) == embedder.encode_document("river").tolist()
    index = VectorStoreIndex.from_documents([Document(text=text) for text in texts], embed_model=vectors)
    found = index.as_retriever(similarity_top_k=3).retrieve("river")
    assert sorted(node.text for node in found) == sorted(texts)
    assert str(index.as_query_engine(llm=model).query("river")) is not None

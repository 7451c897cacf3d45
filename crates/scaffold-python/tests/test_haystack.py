"""Haystack's components."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conftest import stands_on

stands_on("haystack")

from haystack import Document, Pipeline
from haystack.components.builders import ChatPromptBuilder
from haystack.core.serialization import allow_deserialization_module, component_from_dict, component_to_dict
from haystack.dataclasses import ChatMessage, StreamingChunk
from haystack.tools import Tool

from scaffold_llm import LLM, CrossEncoder, Embedder, UsageError
from scaffold_llm.haystack import ScaffoldChatGenerator, ScaffoldDocumentEmbedder, ScaffoldRanker, ScaffoldTextEmbedder

THREADS = {"threads": 1}


@pytest.fixture
def generator(models: Path) -> ScaffoldChatGenerator:
    kwargs = {"seed": 1, "max_tokens": 20}
    return ScaffoldChatGenerator(str(models / "chat"), generation_kwargs=kwargs, load_options=THREADS)


def tool() -> Tool:
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"], "additionalProperties": False}
    return Tool(name="flip", description="Flips.", parameters=schema, function=flip)


def flip(a: bool) -> bool:
    return not a


def test_a_reply_is_the_librarys(generator: ScaffoldChatGenerator, llm: LLM) -> None:
    expected = llm.chat("x", seed=1, max_new_tokens=20)
    heard: list[str] = []

    def hear(chunk: StreamingChunk) -> None:
        heard.append(chunk.content)

    async def hear_async(chunk: StreamingChunk) -> None:
        heard.append(chunk.content)

    (reply,) = generator.run([ChatMessage.from_user("x")])["replies"]
    assert reply.text == expected.text and reply.meta["usage"]["completion_tokens"] == expected.usage.completion_tokens
    assert generator.run("x", streaming_callback=hear)["replies"][0].text == expected.text == "".join(heard)
    heard.clear()
    asyncio.run(generator.run_async("x", streaming_callback=hear_async))
    assert "".join(heard) == expected.text
    assert asyncio.run(generator.run_async("x"))["replies"][0].text == expected.text


def test_a_tool_is_called_and_its_result_read(generator: ScaffoldChatGenerator) -> None:
    forced = {"tool_choice": "required", "one_call": True, "max_tokens": 200}
    (reply,) = generator.run("x", tools=[tool()], generation_kwargs=forced)["replies"]
    (call,) = reply.tool_calls
    assert call.tool_name == "flip" and set(call.arguments) == {"a"} and reply.meta["finish_reason"] == "tool_calls"
    chat = [ChatMessage.from_user("x"), reply, ChatMessage.from_tool("true", origin=call)]
    assert generator.run(chat)["replies"][0].meta["usage"]["prompt_tokens"] > 0


def test_a_pipeline_is_written_and_read_again(generator: ScaffoldChatGenerator) -> None:
    pipeline = Pipeline()
    pipeline.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("{{ what }}")], required_variables=["what"]))
    pipeline.add_component("model", generator)
    pipeline.connect("prompt.prompt", "model.messages")
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["scaffold_llm.haystack"])
    said = {"prompt": {"what": "river"}}
    assert again.run(said)["model"]["replies"][0].text == pipeline.run(said)["model"]["replies"][0].text
    allow_deserialization_module("test_haystack")
    told = ScaffoldChatGenerator(tools=[tool()], streaming_callback=print).to_dict()
    read = ScaffoldChatGenerator.from_dict(told)
    assert read.tools == [tool()] and read.streaming_callback is print


def test_vectors_and_ranks_are_the_librarys(models: Path, embedder: Embedder, ranker: CrossEncoder) -> None:
    texts = ["the river", "a market", "climate"]
    documents = [Document(content=text, meta={"title": "water"}) for text in texts]
    query: Any = ScaffoldTextEmbedder(str(models / "embedder"), load_options=THREADS)
    assert query.run("river")["embedding"] == embedder.encode_query("river").tolist()
    writes = ScaffoldDocumentEmbedder(str(models / "embedder"), load_options=THREADS)
    found = writes.run(documents)["documents"]
    assert [one.embedding for one in found] == embedder.encode_document(texts).tolist() and documents[0].embedding is None
    titled = ScaffoldDocumentEmbedder(str(models / "embedder"), load_options=THREADS, meta_fields_to_embed=["title"])
    assert titled.run(documents[:1])["documents"][0].embedding == embedder.encode_document("water\nthe river").tolist()
    ranks = ScaffoldRanker(str(models / "ranker"), load_options=THREADS).run("what", documents, top_k=2)["documents"]
    expected = ranker.rerank("what", texts, 2)
    assert [(one.content, one.score) for one in ranks] == [(texts[one.index], one.score) for one in expected]
    for part in (writes, query):
        again = component_from_dict(type(part), component_to_dict(part, "part"), "part")
        assert again.model == part.model and again.load_options == THREADS
    assert ScaffoldRanker().run("x", [])["documents"] == []
    with pytest.raises(UsageError, match="1 or more"):
        ScaffoldRanker(top_k=0)
    with pytest.raises(UsageError, match="accepted: a text"):
        query.run(documents)

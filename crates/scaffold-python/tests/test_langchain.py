"""LangChain's components: its own standard suites, and what they do not look at."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from conftest import stands_on

stands_on("langchain_core")

from langchain_core.documents import Document
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, ValidationError

from scaffold_llm import LLM, CrossEncoder, Embedder, UsageError
from scaffold_llm.langchain import ChatScaffold, ScaffoldEmbeddings, ScaffoldReranker


@pytest.fixture
def chat(llm: LLM) -> ChatScaffold:
    """A chat model that writes nonsense, at once."""
    return ChatScaffold(llm=llm, max_tokens=20, seed=1)


class Sized(BaseModel):
    """A size."""

    size: bool


def add(a: bool, b: bool) -> bool:
    """Adds two bits."""
    return a != b


def test_an_answer_tells_what_the_library_tells(chat: ChatScaffold, llm: LLM) -> None:
    message = chat.invoke([SystemMessage("Be brief."), HumanMessage("the river")], logprobs=2)
    answer = llm.chat(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "the river"}], max_new_tokens=20, seed=1
    )
    assert message.content == answer.text
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == answer.usage.completion_tokens
    assert message.usage_metadata["input_tokens"] == answer.usage.prompt_tokens
    assert message.response_metadata["finish_reason"] == answer.finish_reason
    assert message.response_metadata["model_name"] == llm.name and message.response_metadata["seed"] == 1
    places = message.response_metadata["logprobs"]["content"]
    assert len(places) == answer.usage.completion_tokens and all(len(place["top_logprobs"]) == 2 for place in places)


def test_pieces_make_up_the_answer_in_threads_and_in_tasks(chat: ChatScaffold) -> None:
    whole = chat.invoke("x")

    def summed(chunks: list[AIMessageChunk]) -> AIMessageChunk:
        full = chunks[0]
        for chunk in chunks[1:]:
            full = full + chunk
        return full

    async def pieces() -> list[AIMessageChunk]:
        return [chunk async for chunk in chat.astream("x", logprobs=1)]

    for chunks in (list(chat.stream("x", logprobs=1)), asyncio.run(pieces())):
        full = summed(chunks)
        assert full.content == whole.content
        assert full.usage_metadata is not None and whole.usage_metadata is not None
        assert full.usage_metadata["output_tokens"] == whole.usage_metadata["output_tokens"]
        assert full.response_metadata["finish_reason"] == whole.response_metadata["finish_reason"]
        assert len(full.response_metadata["logprobs"]["content"]) == whole.usage_metadata["output_tokens"]
    assert asyncio.run(chat.ainvoke("x")).content == whole.content


def test_a_call_that_has_to_be_made_is_made(chat: ChatScaffold) -> None:
    bound = chat.bind_tools([add], tool_choice="any", parallel_tool_calls=False, max_tokens=200)
    message = bound.invoke("x")
    assert len(message.tool_calls) == 1 and message.tool_calls[0]["name"] == "add"
    assert set(message.tool_calls[0]["args"]) == {"a", "b"} and message.response_metadata["finish_reason"] == "tool_calls"
    full: Any = None
    for chunk in bound.stream("x"):
        full = chunk if full is None else full + chunk
    assert [(call["name"], call["args"]) for call in full.tool_calls] == [
        (call["name"], call["args"]) for call in message.tool_calls
    ]
    # What was called and answered is read as a part of the chat.
    result = ToolMessage("true", tool_call_id=message.tool_calls[0]["id"], name="add")
    assert chat.bind_tools([add]).invoke([HumanMessage("x"), message, result]).usage_metadata


def test_tool_choice_says_what_there_is(chat: ChatScaffold) -> None:
    def other() -> None:
        """Nothing."""

    with pytest.raises(UsageError, match="accepted: auto, none, any, required, add, other"):
        chat.bind_tools([add, other], tool_choice="ad")
    with pytest.raises(UsageError, match="the only tool, and there are 2"):
        chat.bind_tools([add, other], tool_choice=True)
    assert not chat.bind_tools([add], tool_choice="none").invoke("x").tool_calls


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_values_keep_to_their_schema(chat: ChatScaffold, method: Any) -> None:
    value = chat.with_structured_output(Sized, method=method, max_tokens=200).invoke("x")
    assert isinstance(value, Sized)
    assert set(chat.with_structured_output(Sized.model_json_schema(), method=method, max_tokens=200).invoke("x")) == {"size"}
    raw = chat.with_structured_output(Sized, method=method, include_raw=True, max_tokens=200).invoke("x")
    assert raw["parsed"] == value and raw["parsing_error"] is None and isinstance(raw["raw"], AIMessage)
    *_, last = chat.with_structured_output(Sized, method=method, max_tokens=200).stream("x")
    assert last == value


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_value_without_its_end_is_none(chat: ChatScaffold, method: Any) -> None:
    for schema in (Sized, Sized.model_json_schema()):
        cut = chat.with_structured_output(schema, method=method, max_tokens=4)
        with pytest.raises(OutputParserException, match="before its value was whole"):
            cut.invoke("x")
        with pytest.raises(OutputParserException, match="before its value was whole"):
            list(cut.stream("x"))
        raw = chat.with_structured_output(schema, method=method, include_raw=True, max_tokens=4).invoke("x")
        assert raw["parsed"] is None and "max_tokens" in str(raw["parsing_error"])


def test_what_is_not_known_is_refused(chat: ChatScaffold) -> None:
    with pytest.raises(UsageError, match="did you mean temperature"):
        chat.invoke("x", temprature=1)
    with pytest.raises(ValidationError, match="temprature"):
        ChatScaffold(model="starter", temprature=1)  # type: ignore[call-arg]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    with pytest.raises(UsageError, match="message 1 has a part of the type 'image_url'"):
        chat.invoke([HumanMessage("x"), HumanMessage([image])])
    with pytest.raises(UsageError, match="accepted: json_schema, function_calling, json_mode"):
        chat.with_structured_output(Sized, method="json")  # type: ignore[arg-type]


def test_objects_of_one_model_share_it(models: Any) -> None:
    name = str(models / "chat")
    one = ChatScaffold(model=name, load_options={"threads": 1})
    other = ChatScaffold(model_name=name, temperature=0, load_options={"threads": 1})
    assert one.loaded() is other.loaded()
    assert one.loaded() is not ChatScaffold(model=name, load_options={"threads": 2}).loaded()
    assert one.get_num_tokens("ab") == 2
    asyncio.run(one.ainvoke("x", max_tokens=1))
    again = pickle.loads(pickle.dumps(one))
    assert again.loaded() is one.loaded()
    assert again.invoke("x", seed=3, max_tokens=4).content == one.invoke("x", seed=3, max_tokens=4).content


def test_many_tasks_take_turns(chat: ChatScaffold) -> None:
    found = asyncio.run(chat.abatch(["x"] * 1500, max_tokens=1))
    assert len(found) == 1500 and len({message.content for message in found}) == 1


def test_embeddings_have_the_prompts_of_their_roles(embedder: Embedder) -> None:
    vectors = ScaffoldEmbeddings(embedder=embedder)
    assert vectors.embed_query("river") == embedder.encode_query("river").tolist()
    assert vectors.embed_documents(["river"]) == [embedder.encode_document("river").tolist()]
    assert vectors.embed_documents([]) == []
    assert asyncio.run(vectors.aembed_query("river")) == vectors.embed_query("river")
    assert len(vectors.embed_documents(["river " * 100])[0]) == 32


def test_a_reranker_keeps_the_best_documents(ranker: CrossEncoder) -> None:
    texts = ["the river", "a market", "climate", "how do we measure"]
    documents = [Document(text, metadata={"place": place}) for place, text in enumerate(texts)]
    found = ScaffoldReranker(cross_encoder=ranker, top_n=3).compress_documents(documents, "what is water")
    expected = ranker.rerank("what is water", texts, 3)
    assert [one.metadata["place"] for one in found] == [one.index for one in expected]
    assert [one.metadata["relevance_score"] for one in found] == [one.score for one in expected]
    assert "relevance_score" not in documents[0].metadata
    assert ScaffoldReranker(cross_encoder=ranker).compress_documents([], "x") == []
    assert len(ScaffoldReranker(cross_encoder=ranker, top_n=None).compress_documents(documents, "x")) == 4
    with pytest.raises(ValidationError):
        ScaffoldReranker(top_n=0)

"""Asks a server through what programs put over the clients. Arguments: address, model, and an embedder and a ranker if there are."""

import asyncio
import sys

from checks import QUESTION, check

TEXT = QUESTION[0]["content"]


def ask_litellm(address, model):
    import litellm

    said = []
    for route in ("ollama_chat/", "ollama/", "openai/"):
        common = {"model": route + model, "messages": QUESTION, "temperature": 0, "max_tokens": 24, "api_key": "any"}
        common["api_base"] = address + "/v1" if route == "openai/" else address
        whole = litellm.completion(**common).choices[0].message.content
        pieces = litellm.completion(**common, stream=True)
        check(f"litellm {route}", whole and whole == "".join(p.choices[0].delta.content or "" for p in pieces), whole)
        said.append(whole)
    check("litellm, the same by each chat route", said[0] == said[2], said)
    return said[0]


def ask_hugging_face(address, model, wanted):
    from huggingface_hub import InferenceClient

    client = InferenceClient(base_url=address + "/v1", api_key="any")
    whole = client.chat_completion(QUESTION, model=model, temperature=0, max_tokens=24)
    check("huggingface_hub chat", whole.choices[0].message.content == wanted, whole)
    pieces = list(client.chat_completion(QUESTION, model=model, temperature=0, max_tokens=24, stream=True))
    check("huggingface_hub stream", "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == wanted)


def ask_llama_index(address, model, wanted):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.ollama import Ollama

    llm = Ollama(model=model, base_url=address, temperature=0, additional_kwargs={"num_predict": 24}, request_timeout=120)
    messages = [ChatMessage(role="user", content=TEXT)]
    check("llama-index chat", llm.chat(messages).message.content == wanted)
    check("llama-index stream", list(llm.stream_chat(messages))[-1].message.content == wanted)
    check("llama-index complete", llm.complete(TEXT).text)


def ask_pydantic_ai(address, model, wanted):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=address + "/v1", api_key="any")
    agent = Agent(OpenAIChatModel(model, provider=provider), model_settings={"temperature": 0, "max_tokens": 24})
    check("pydantic-ai run", agent.run_sync(TEXT).output == wanted)

    async def streamed():
        async with agent.run_stream(TEXT) as result:
            return "".join([piece async for piece in result.stream_text(delta=True)])

    check("pydantic-ai stream", asyncio.run(streamed()) == wanted)


def ask_langchain(address, model, wanted):
    from langchain_ollama import ChatOllama
    from langchain_openai import ChatOpenAI

    ours = ChatOllama(model=model, base_url=address, temperature=0, num_predict=24)
    theirs = ChatOpenAI(model=model, base_url=address + "/v1", api_key="any", temperature=0, max_completion_tokens=24)
    for name, llm in (("langchain-ollama", ours), ("langchain-openai", theirs)):
        check(f"{name} invoke", llm.invoke(TEXT).content == wanted)
        check(f"{name} stream", "".join(piece.text for piece in llm.stream(TEXT)) == wanted)


def embed(address, model):
    import litellm
    from langchain_ollama import OllamaEmbeddings
    from langchain_openai import OpenAIEmbeddings

    text = "A red house."
    ours = OllamaEmbeddings(model=model, base_url=address).embed_query(text)
    theirs = OpenAIEmbeddings(model=model, base_url=address + "/v1", api_key="any", check_embedding_ctx_length=False).embed_query(text)
    third = litellm.embedding(model="openai/" + model, input=[text], api_base=address + "/v1", api_key="any").data[0]["embedding"]
    same = all(abs(a - b) < 1e-6 and abs(a - c) < 1e-6 for a, b, c in zip(ours, theirs, third))
    check("embeddings by frameworks", same and len(ours) == len(theirs) == len(third))


def rank(address, model):
    import cohere

    documents = ["Rivers flow to the sea.", "Paris is the capital of France.", "Bread is baked."]
    for client in (cohere.Client("any", base_url=address), cohere.ClientV2("any", base_url=address)):
        ranked = client.rerank(model=model, query=TEXT, documents=documents, top_n=2).results
        scores = [one.relevance_score for one in ranked]
        check(f"cohere {type(client).__name__}", len(ranked) == 2 and scores == sorted(scores, reverse=True), ranked)


if __name__ == "__main__":
    address, model, *others = sys.argv[1:]
    said = ask_litellm(address, model)
    for ask in (ask_hugging_face, ask_llama_index, ask_pydantic_ai, ask_langchain):
        ask(address, model, said)
    for name, ask in zip(others, (embed, rank)):
        ask(address, name)

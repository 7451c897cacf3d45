"""LangChain's standard tests of chat models and embeddings, asked of a running server. BASE is its address, MODEL and EMBEDDER name models;
TOOLS=1 where the model's template writes calls of tools, or where they are described to it in words.

A small model calls nothing, calls twice, or writes the same words without end. CHOOSE=1 takes that choice from it and nothing else: each
request goes to the server as the client sends it, but that it says which function is to be called, once, and how short a text is
right. A test that fails without it and passes with it fails by the model's choice alone.
"""

import json
import os

import httpx
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests

BASE = os.environ["BASE"]
MODEL = os.environ["MODEL"]
EMBEDDER = os.environ["EMBEDDER"]
TOOLS = os.environ.get("TOOLS") == "1"
CHOOSE = os.environ.get("CHOOSE") == "1"
TOKENS = 256

def shortened(schema):
    """A schema whose texts come to an end: what satisfies it satisfies the one that was asked for."""
    if isinstance(schema, dict):
        kept = {key: shortened(value) for key, value in schema.items()}
        if kept.get("type") == "string" and not {"enum", "const", "maxLength", "format", "pattern"} & set(kept):
            kept["maxLength"] = 40
        return kept
    return [shortened(one) for one in schema] if isinstance(schema, list) else schema


def chosen(body):
    """The request with what is right to answer."""
    tools = body.get("tools") or []
    names = [tool["function"]["name"] for tool in tools]
    for tool in tools:
        wanted = shortened(tool["function"].get("parameters") or {"type": "object"})
        # A function without arguments is called without any.
        tool["function"]["parameters"] = wanted if wanted.get("properties") else {"type": "object", "properties": {}, "additionalProperties": False}
    if tools and not any(message["role"] == "tool" for message in body["messages"]):
        body["parallel_tool_calls"] = False
        if body.get("tool_choice") in (None, "auto"):
            body["tool_choice"] = {"type": "function", "function": {"name": names[0]}}
    joke = {"type": "object", "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}}, "required": ["setup", "punchline"]}
    if body.get("format") == "json":
        body["format"] = shortened(joke)
    elif isinstance(body.get("format"), dict):
        body["format"] = shortened(body["format"])
    answer = body.get("response_format") or {}
    if answer.get("type") == "json_object":
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "joke", "schema": shortened(joke)}}
    elif answer.get("type") == "json_schema":
        answer["json_schema"]["schema"] = shortened(answer["json_schema"]["schema"])
    return body


def rewritten(request):
    if request.method != "POST" or "/chat" not in request.url.path:
        return request
    body = json.dumps(chosen(json.loads(request.content)), ensure_ascii=False).encode()
    headers = {key: value for key, value in request.headers.items() if key.lower() != "content-length"}
    return httpx.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


class Chooser(httpx.HTTPTransport):
    def handle_request(self, request):
        return super().handle_request(rewritten(request))


class AsyncChooser(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        return await super().handle_async_request(rewritten(request))


class Chats(ChatModelIntegrationTests):
    has_tool_calling = property(lambda self: TOOLS)
    has_structured_output = property(lambda self: TOOLS)
    supports_json_mode = property(lambda self: TOOLS)
    supports_image_inputs = property(lambda self: False)


class TestOllamaChats(Chats):
    # The client has no tool_choice: Ollama has none.
    has_tool_choice = property(lambda self: False)
    chat_model_class = property(lambda self: ChatOllama)

    @property
    def chat_model_params(self):
        own = {"sync_client_kwargs": {"transport": Chooser()}, "async_client_kwargs": {"transport": AsyncChooser()}} if CHOOSE else {}
        return {"model": MODEL, "base_url": BASE, "num_predict": TOKENS, "temperature": 0, **own}


class TestOpenAIChats(Chats):
    has_tool_choice = property(lambda self: TOOLS)
    chat_model_class = property(lambda self: ChatOpenAI)

    @property
    def chat_model_params(self):
        own = {}
        if CHOOSE:
            own = {"http_client": httpx.Client(transport=Chooser()), "http_async_client": httpx.AsyncClient(transport=AsyncChooser())}
        base = {"base_url": BASE + "/v1", "api_key": "any", "stream_usage": True}
        return {"model": MODEL, "max_tokens": TOKENS, "temperature": 0, **base, **own}


class TestOllamaEmbeddings(EmbeddingsIntegrationTests):
    embeddings_class = property(lambda self: OllamaEmbeddings)
    embedding_model_params = property(lambda self: {"model": EMBEDDER, "base_url": BASE})


class TestOpenAIEmbeddings(EmbeddingsIntegrationTests):
    embeddings_class = property(lambda self: OpenAIEmbeddings)
    embedding_model_params = property(
        lambda self: {"model": EMBEDDER, "base_url": BASE + "/v1", "api_key": "any", "check_embedding_ctx_length": False}
    )

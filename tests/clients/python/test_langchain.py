"""LangChain's standard tests of chat models and embeddings, asked of a running server. BASE is its address, MODEL and EMBEDDER name models;
TOOLS=1 where the model's template writes calls of tools."""

import os

from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests

BASE = os.environ["BASE"]
MODEL = os.environ["MODEL"]
EMBEDDER = os.environ["EMBEDDER"]
TOOLS = os.environ.get("TOOLS") == "1"


class Chats(ChatModelIntegrationTests):
    has_tool_calling = property(lambda self: TOOLS)
    has_structured_output = property(lambda self: TOOLS)
    supports_json_mode = property(lambda self: TOOLS)
    supports_image_inputs = property(lambda self: False)


class TestOllamaChats(Chats):
    # The client has no tool_choice: Ollama has none.
    has_tool_choice = property(lambda self: False)
    chat_model_class = property(lambda self: ChatOllama)
    chat_model_params = property(lambda self: {"model": MODEL, "base_url": BASE, "num_predict": 64, "temperature": 0})


class TestOpenAIChats(Chats):
    has_tool_choice = property(lambda self: TOOLS)
    chat_model_class = property(lambda self: ChatOpenAI)
    chat_model_params = property(
        lambda self: {"model": MODEL, "base_url": BASE + "/v1", "api_key": "any", "max_tokens": 64, "temperature": 0, "stream_usage": True}
    )


class TestOllamaEmbeddings(EmbeddingsIntegrationTests):
    embeddings_class = property(lambda self: OllamaEmbeddings)
    embedding_model_params = property(lambda self: {"model": EMBEDDER, "base_url": BASE})


class TestOpenAIEmbeddings(EmbeddingsIntegrationTests):
    embeddings_class = property(lambda self: OpenAIEmbeddings)
    embedding_model_params = property(
        lambda self: {"model": EMBEDDER, "base_url": BASE + "/v1", "api_key": "any", "check_embedding_ctx_length": False}
    )

#!/bin/sh
# LangChain's standard tests of chat models and embeddings, by its clients for Ollama and for OpenAI:
# langchain.sh PROGRAM [MODEL [EMBEDDER]]
set -eu
. "$(dirname "$0")/serve.sh"
program=${1:?the program scaffold}
export MODEL="${2:-starter}" EMBEDDER="${3:-all-minilm}"
environment langchain langchain-tests langchain-ollama langchain-openai pytest-asyncio
for name in "$MODEL" "$EMBEDDER"; do
    [ -e "$name" ] || "$program" pull "$name" >/dev/null
done
serve "$program"
cd "$here/python"
BASE="$address" "$place/bin/python" -m pytest -q -p pytest_asyncio --asyncio-mode=auto -o asyncio_default_test_loop_scope=session -o asyncio_default_fixture_loop_scope=session -p no:cacheprovider test_langchain.py

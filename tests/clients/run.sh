#!/bin/sh
# Starts a server on a free port and asks it with real clients: run.sh PROGRAM [MODEL [EMBEDDER [RANKER]]]
set -eu
. "$(dirname "$0")/serve.sh"
program=${1:?the program scaffold}
shift
[ $# -gt 0 ] || set -- starter
environment python 'ollama>=0.6' 'openai>=2' 'anthropic>=0.60' cohere litellm huggingface_hub llama-index-llms-ollama \
    'pydantic-ai-slim[openai]' langchain-ollama langchain-openai
npm ci --silent --no-audit --no-fund --prefix "$here/js"
for name in "$@"; do
    [ -e "$name" ] || "$program" pull "$name" >/dev/null
done
# What the clients make is theirs alone.
SCAFFOLD_MODELS=$(mktemp -d)
export SCAFFOLD_MODELS
serve "$program"
# No prices of models from the network.
export LITELLM_LOCAL_MODEL_COST_MAP=True
for script in sdks frameworks; do
    "$place/bin/python" "$here/python/$script.py" "$address" "$@"
done
node "$here/js/clients.mjs" "$address" "$@"

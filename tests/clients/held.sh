#!/bin/sh
# Structured output and forced calls of tools by the clients that people use, from a model of random weights: held.sh PROGRAM [LIKE.gguf]
# The tokenizer is that of LIKE.gguf (without it, of the starter). ROUNDS is how often each thing is asked, with another seed each time.
set -eu
. "$(dirname "$0")/serve.sh"
program=${1:?the program scaffold}
environment held gguf==0.19.0 numpy==2.4.6 openai==3.3.0 anthropic==2.14.0 instructor==1.17.0 'pydantic-ai-slim[openai]==2.38.0' langchain-ollama==1.1.0 \
    langchain-openai==1.7.4 jsonschema==4.26.0
npm ci --silent --no-audit --no-fund --prefix "$here/js"
like=${2:-}
if [ -z "$like" ]; then
    like=$("$program" pull starter | tail -n 1)
    [ -d "$like" ] && like=$(ls "$like"/*.gguf | head -n 1)
fi
noise="$place/noise.gguf"
"$place/bin/python" "$here/python/noise.py" "$like" "$noise"
serve "$program" --model "$noise"
"$place/bin/python" "$here/python/held.py" "$address" "$noise" "${ROUNDS:-8}"
node "$here/js/held.mjs" "$address" "$noise" "${ROUNDS:-8}"

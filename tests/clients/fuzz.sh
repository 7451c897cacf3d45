#!/bin/sh
# Starts a server on a free port and sends it what a document of OpenAPI allows and what it forbids: fuzz.sh PROGRAM [DOCUMENT]
# Without DOCUMENT it is the server's own, whose answers are held to it; with one, such as Ollama's openapi.yaml, only faults of the
# server's count. EXAMPLES is the number of requests for each operation in the last phase; FUZZ_MODELS, FUZZ_EMBEDDERS and FUZZ_RANKERS are
# models that are on this disk; OPTIONS are more options of schemathesis, such as `--include-path /api/chat`.
set -eu
program=${1:?the program scaffold}
document=${2:-}
. "$(dirname "$0")/serve.sh"
environment fuzz 'schemathesis>=4.32,<5'
export FUZZ_MODELS="${FUZZ_MODELS:-starter}" FUZZ_EMBEDDERS="${FUZZ_EMBEDDERS:-all-minilm}"
for name in $FUZZ_MODELS $FUZZ_EMBEDDERS ${FUZZ_RANKERS:-}; do
    [ -e "$name" ] || "$program" pull "$name" >/dev/null
done
# What is not here is not fetched: no request leaves this machine. What is made is made for this run alone.
export HF_HUB_OFFLINE=1 SCAFFOLD_MODELS="$place/models"
rm -rf "$SCAFFOLD_MODELS"
serve "$program"
checks=not_a_server_error
if [ -z "$document" ]; then
    document="$address/openapi.json"
    checks=$checks,response_schema_conformance,content_type_conformance,status_code_conformance,negative_data_rejection
fi
cd "$place"
SCHEMATHESIS_HOOKS="$here/fuzz_hooks.py" bin/schemathesis run "$document" --url "$address" --checks "$checks" \
    --phases "${PHASES:-examples,coverage,fuzzing}" --max-examples "${EXAMPLES:-500}" --workers "${WORKERS:-4}" --request-timeout 120 \
    --generation-database none --continue-on-failure --suppress-health-check all --no-color ${OPTIONS:-}

#!/bin/sh
# Starts a server on a free port and asks it with real clients: run.sh PROGRAM [MODEL [EMBEDDER]]
set -eu
program=${1:?the program scaffold}
model=${2:-starter}
embedder=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
place="$here/../../target/clients"
if ! [ -x "$place/bin/python" ]; then
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet 'ollama>=0.6' 'openai>=2' 'anthropic>=0.60'
fi
for name in "$model" $embedder; do
    "$program" pull "$name" >/dev/null
done
log=$(mktemp)
"$program" serve --port 0 2>"$log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -f "$log"' EXIT
address=
for _ in $(seq 100); do
    address=$(sed -n 's|^listening on \(http://[0-9.:]*\): .*|\1|p' "$log")
    [ -n "$address" ] && break
    sleep 0.1
done
[ -n "$address" ] || { cat "$log" >&2; exit 1; }
"$place/bin/python" "$here/clients.py" "$address" "$model" $embedder

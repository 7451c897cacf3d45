#!/bin/sh
# Two hundred clients that behave badly, for so many seconds: faults.sh PROGRAM [SECONDS [MODEL]]
set -eu
. "$(dirname "$0")/serve.sh"
program=${1:?the program scaffold}
seconds=${2:-600}
model=${3:-starter}
"$program" pull "$model" >/dev/null
serve "$program" --model "$model"
python3 "$here/python/faults.py" "$address" "$server" "$model" "$seconds"

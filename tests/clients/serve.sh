# Sourced: what the scripts beside share. `environment NAME PACKAGES…` makes an environment of Python below the target directory;
# `serve PROGRAM OPTIONS…` starts a server on a free port, sets `address`, and ends it with the script.
here=$(cd "$(dirname "$0")" && pwd)
places="$here/../../target/clients"

environment() {
    place="$places/$1"
    shift
    if ! [ -e "$place/complete" ]; then
        python3 -m venv "$place"
        "$place/bin/pip" install --quiet "$@"
        touch "$place/complete"
    fi
}

serve() {
    program=$1
    shift
    log=$(mktemp)
    "$program" serve --port 0 "$@" 2>"$log" &
    server=$!
    trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -f "$log"' EXIT
    address=
    for _ in $(seq 100); do
        address=$(sed -n 's|^listening on \(https\{0,1\}://[0-9.:]*\): .*|\1|p' "$log")
        [ -n "$address" ] && return
        sleep 0.1
    done
    cat "$log" >&2
    exit 1
}

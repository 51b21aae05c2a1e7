#!/usr/bin/env bash
# Builds Breezeway, starts two private origins and a node, deploys template.yaml on it and sends
# requests through the only way in. Everything it starts, it stops again.
#   ./run.sh          one round, then stop
#   ./run.sh --stay   keep running until Ctrl-C
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
cargo build --release --package breezeway
breezeway=${CARGO_TARGET_DIR:-target}/release/breezeway
work=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT

# wait_for FILE PATTERN PID: until a line of FILE matches; fails when the process has ended.
wait_for() {
    until grep -q -- "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || { cat "$1" "$work"/*.err >&2; exit 1; }
        sleep 0.05
    done
}

for name in one two; do
    "$breezeway" echo --listen 127.0.0.1:0 --name "$name" >"$work/$name.out" 2>"$work/$name.err" &
    pids+=($!)
    wait_for "$work/$name.out" http:// $!
    declare "$name=$(sed -n 's,.*http://,,p' "$work/$name.out")"
done

# Free ports, so that the example runs beside whatever this machine already serves.
"$breezeway" up "$here/template.yaml" --output json \
    --ephemeral --api 127.0.0.1:0 --http 127.0.0.1:0 --https 127.0.0.1:0 --dns off \
    --parameter OriginOne="$one" --parameter OriginTwo="$two" \
    >"$work/up.out" 2> >(tee "$work/up.err" >&2) &
pids+=($!)
wait_for "$work/up.out" '^}' $!
url=$(sed -n 's/^ *"Url": "\(.*\)",*$/\1/p' "$work/up.out")
host=${url#http://}

# The host name ends in .localhost; --resolve spares systems that do not resolve such names.
get() {
    curl --silent --show-error --resolve "${host}:127.0.0.1" "$url$1"
    echo
}
echo
echo "The API answers at $url"
echo "GET /hello, answered by a private target:"
get /hello
echo "GET /teapot, answered by a rule of the private load balancer:"
get /teapot
if [ "${1:-}" = --stay ]; then
    echo "Ctrl-C stops everything."
    wait "${pids[-1]}"
fi

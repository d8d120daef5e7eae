#!/usr/bin/env bash
# demo.sh BINARY: what `./run demo` shows, in order.
set -euo pipefail
quarry=$1

show() {
    printf '\n$ quarry %s\n' "$*"
    "$quarry" "$@"
}

show security
show bench hash
show bench permutations --log-count 17

#!/usr/bin/env bash
# Makes the terminal proofs that the contracts are tested with, of 1, 4 and 16 batches, and mutants of them. Minutes, and 10 GiB of
# memory. After a change of circuits or keys: pin the keys, run `quarry codegen`, then this.
#   tests/evm/make_terminal_vectors.sh BUILD_FOLDER
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "${1:?the folder of a build with tests}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

quarry() { "$build/quarry" "$@" --quiet >&2; }
quarry genesis --accounts 200 --balance 1000000 --seed 5 --out state
for batch in 6:transfer=100 7:transfer=70,withdraw=20,deposit=10; do
    quarry workload --state state --count 40 --seed "${batch%%:*}" --mix "${batch#*:}" --out operations
    quarry execute --state state --in operations --out batches
done
# One batch as calldata; one, with effects, as a blob.
quarry aggregate batches/batch-000001 --state state --data calldata --out bundle-a
quarry aggregate batches/batch-000002 --state state --data blobs --out bundle-1
quarry aggregate bundle-a bundle-1 --out bundle-2
for n in 2 4 8; do quarry aggregate "bundle-$n" "bundle-$n" --out "bundle-$((2 * n))"; done
quarry terminal bundle-1 --profile 1 --out terminal-1
quarry terminal bundle-2 --profile 4 --out terminal-4
quarry terminal bundle-16 --profile 16 --out terminal-16
"$build/tests/terminal_vectors" fixtures "$root" terminal-1 terminal-4 terminal-16
"$build/tests/terminal_vectors" mutants "$root" bundle-1

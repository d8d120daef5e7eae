#!/usr/bin/env bash
# demo.sh BINARY: what `./run demo` shows, in order. Fails when a step does not behave as it says.
set -euo pipefail
quarry=$1
out=out/demo
mkdir -p "$out"

say() { printf '\n-- %s\n' "$*"; }
show() {
    printf '$ quarry %s\n' "$*"
    "$quarry" "$@"
}

say "1. What a proof's security rests on: provable bits of every proof size"
show security
say "2. The two primitives that every transfer costs: hashing and signatures"
show bench hash --seconds 0.5
show bench sign
say "3. Prove 131,072 Poseidon permutations, and keep the proof"
show bench permutations --log-count 17 --out "$out/proof.bin"
say "4. Verify it, as anyone could"
show inspect "$out/proof.bin"
show verify "$out/proof.bin"
say "5. Change one bit of one byte, and verify again: it must be refused"
cp "$out/proof.bin" "$out/tampered.bin"
byte=$(od -An -tu1 -j 5000 -N 1 "$out/proof.bin")
printf '%b' "$(printf '\\x%02x' $((byte ^ 1)))" | dd of="$out/tampered.bin" bs=1 seek=5000 conv=notrunc status=none
if show verify "$out/tampered.bin"; then
    echo "demo: the changed proof was accepted" >&2
    exit 1
fi
say "Done. The proof is in $out/proof.bin; build/quarry --help lists all commands."

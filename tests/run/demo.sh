#!/usr/bin/env bash
# demo.sh BINARY: what `./run demo` shows, in order. Fails when a step does not behave as it says.
set -euo pipefail
quarry=$1
out=out/demo
accounts=100000
operations=4000
batch_size=2048
small_operations=600

rm -rf "$out"
mkdir -p "$out"

say() { printf '\n-- %s\n' "$*"; }
# Runs the program: shows the command and what it says, and keeps its JSON document for the table at the end.
show() {
    printf '$ quarry %s\n' "$*"
    "$quarry" "$@"
}
# keep NAME ARGS..: the same with --json, into NAME.json.
keep() {
    local name=$1
    shift
    printf '$ quarry %s\n' "$*"
    "$quarry" "$@" --json >"$out/$name.json"
}
# field NAME KEY: a number or string of NAME.json.
field() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$out/$1.json" | head -n 1; }
calc() { awk "BEGIN { printf \"$1\", $2 }"; }

say "1. A development genesis: $accounts accounts"
show genesis --accounts $accounts --balance 1000000000 --seed 1 --out "$out/state"

say "2. $operations signed operations and L1 entries of every kind, 40 of them invalid, as JSON Lines"
show workload --state "$out/state" --count $operations --seed 2 --invalid 40 \
    --mix transfer=80,new=5,withdraw=5,deposit=4,change=3,forced=2,setkey=1 --out "$out/operations.jsonl"

say "3. Execute them: check every signature, refuse the invalid ones with a reason, write batches, keep the state on disk"
keep execute execute --state "$out/state" --in "$out/operations.jsonl" --out "$out/batches" --batch-size $batch_size
printf '  executed %s operations and %s L1 entries in %s batches, %s operations/s; refused %s:\n' \
    "$(field execute executed)" "$(field execute queue_entries)" "$(field execute batches)" \
    "$(field execute executed_per_second)" "$(field execute rejected)"
sed -n '/"rejects_by_code"/,/}/p' "$out/execute.json" | sed '1d;$d;s/[",]//g'
printf '  new state root %s\n' "$(field execute root)"

say "4. Prove each batch: anyone can, from the batch's data and the state before it"
proven=0
seconds=0
peak=0
for folder in "$out"/batches/batch-*; do
    name=$(basename "$folder")
    keep "prove-$name" prove "$folder" --state "$out/state" --out "$out/$name.proof"
    printf '  %s operations proven in %s s (%s a second), proof of %s bytes, %s provable bits\n' \
        "$(field "prove-$name" operations)" "$(field "prove-$name" seconds)" \
        "$(field "prove-$name" operations_per_second)" "$(field "prove-$name" proof_bytes)" \
        "$(field "prove-$name" provable_bits)"
    proven=$((proven + $(field "prove-$name" operations)))
    seconds=$(calc '%.6f' "$seconds + $(field "prove-$name" seconds)")
    peak=$(calc '%d' "($(field "prove-$name" peak_rss_bytes) > $peak) ? $(field "prove-$name" peak_rss_bytes) : $peak")
    last=$name
done

say "5. Verify them, as anyone could"
for folder in "$out"/batches/batch-*; do
    name=$(basename "$folder")
    show verify "$out/$name.proof" --statement "$out/$name.proof.statement.json" --batch "$folder"
done
keep verify verify "$out/$last.proof" --statement "$out/$last.proof.statement.json"

say "6. Change one bit of one byte of a proof, and verify again: it must be refused"
cp "$out/$last.proof" "$out/tampered.proof"
byte=$(od -An -tu1 -j 5000 -N 1 "$out/tampered.proof")
printf '%b' "$(printf '\\x%02x' $((byte ^ 1)))" |
    dd of="$out/tampered.proof" bs=1 seek=5000 conv=notrunc status=none
if show verify "$out/tampered.proof" --statement "$out/$last.proof.statement.json"; then
    echo "demo: the changed proof was accepted" >&2
    exit 1
fi

say "7. Claim the proof for another payee: it must be refused"
sed 's/"payee": *"0x[0-9a-f]*"/"payee": "0x00000000000000000000000000000000000000bb"/' \
    "$out/$last.proof.statement.json" >"$out/stolen.json"
if cmp -s "$out/stolen.json" "$out/$last.proof.statement.json"; then
    echo "demo: the statement names no payee" >&2
    exit 1
fi
if show verify "$out/$last.proof" --statement "$out/stolen.json"; then
    echo "demo: the stolen proof was accepted" >&2
    exit 1
fi

say "8. Four small batches to one proof: their data bound to L1, segments, joins, a bundle"
keep more workload --state "$out/state" --count $small_operations --seed 3 --mix transfer=100 --out "$out/more.jsonl"
keep small execute --state "$out/state" --in "$out/more.jsonl" --out "$out/batches" \
    --batch-size $((small_operations / 4))
mapfile -t small < <(printf '%s\n' "$out"/batches/batch-* | tail -n 4)
keep aggregate aggregate "${small[@]}" --state "$out/state" --workers 2 --out "$out/bundle"
printf '  %s batches in %s s: %s tasks, %s of them by processes of their own\n' "$(field aggregate batches)" \
    "$(field aggregate seconds)" "$(field aggregate tasks)" "$(field aggregate executed)"
show tasks "$out/bundle.work"
show verify "$out/bundle" --statement "$out/bundle.statement.json"
show verify "$out/bundle" --batch "${small[2]}"
sed 's/"payee":"0x[0-9a-f]*"/"payee":"0x00000000000000000000000000000000000000bb"/' \
    "$out/bundle.statement.json" >"$out/stolen-bundle.json"
if show verify "$out/bundle" --statement "$out/stolen-bundle.json"; then
    echo "demo: the stolen bundle was accepted" >&2
    exit 1
fi

# The codeword at a rate of 1/512 is kept in memory.
terminal_gib=10
memory_gib=$(awk '/MemAvailable/ { printf "%d", $2 / 1048576 }' /proc/meminfo)
if ((memory_gib >= terminal_gib)); then
    say "9. The bundle as the proof that an Ethereum contract verifies, over Keccak, small enough for one transaction"
    keep terminal terminal "$out/bundle" --out "$out/terminal"
    printf '  %s bytes in %s s, %s provable bits, %s gas predicted for a transaction that brings and verifies it\n' \
        "$(field terminal proof_bytes)" "$(field terminal seconds)" "$(field terminal provable_bits)" \
        "$(field terminal predicted_gas)"
    show verify "$out/terminal" --statement "$out/bundle.statement.json"
    if show verify "$out/terminal" --statement "$out/stolen-bundle.json"; then
        echo "demo: the stolen terminal proof was accepted" >&2
        exit 1
    fi
else
    say "9. The proof for Ethereum needs $terminal_gib GiB of free memory; this machine has $memory_gib: left out"
fi

executed_rate=$(field execute executed_per_second)
proven_rate=$(calc '%.0f' "$proven / $seconds")
say "What this machine did"
row() { printf '  %-34s %14s  %s\n' "$1" "$2" "${3:-}"; }
row "executed, operations a second" "$executed_rate" "signatures checked, state durable"
row "proven, operations a second" "$proven_rate" "100 provable bits, no trusted setup"
row "gap between them" "$(calc '%.1fx' "$executed_rate / $proven_rate")"
row "cells per operation" "$(calc '%.0f' "$(field "prove-$last" committed_cells) / $(field "prove-$last" operations)")" "last batch, padding included"
row "proof, bytes" "$(field verify proof_bytes)" "last batch"
row "time to verify, ms" "$(field verify verify_ms)" "one proof, decoding included"
row "bundle of 4 batches, bytes" "$(field aggregate proof_bytes)" "whatever the number of batches"
row "its cost, CPU ms a transfer" \
    "$(calc '%.1f' "$(field aggregate worker_cpu_seconds) * 1000 / $small_operations")" "small batches; padding included"
if [[ -f $out/terminal.json ]]; then
    row "terminal proof, bytes" "$(field terminal proof_bytes)" "for Ethereum, whatever the number of batches"
    row "predicted gas" "$(field terminal predicted_gas)" \
        "$(calc '%.0f' "$(field terminal predicted_gas) / $small_operations") a transfer here, $(calc '%.0f' \
            "$(field terminal predicted_gas) / 65536") in 16 batches of 4,096"
fi
row "peak memory of the prover, MiB" "$(calc '%.0f' "$peak / 1048576")"
printf '\nEverything is in %s; build/quarry --help lists all commands.\n' "$out"

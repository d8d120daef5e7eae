#!/usr/bin/env python3
"""A network under a steady load: how far the proven head is behind the posted one, and whether that grows.

sustained_load.py BINARY ROOT [--rate 200] [--minutes 15] [--provers 1] [--batch-seconds 30] [--out FILE]

Chain, sequencer, provers and load share this machine. The lag at a moment is the age of the oldest batch that is posted and not
final: seconds since it was posted. Fails when the worst lag of the last third exceeds 1.2 times that of the middle third, or 300 s.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "devnet"))
from harness import BINARY, Devnet  # noqa: E402

MAX_GROWTH = 1.2
MAX_LAG_SECONDS = 300


class Lag:
    """Of the proven head behind the posted one, from what the sequencer's status says over time."""

    def __init__(self):
        self.posted_at = {}  # batch number -> when it was first seen posted
        self.posted = 0
        self.samples = []  # (seconds since the start, lag in seconds)

    def sample(self, now, posted, finalised):
        for number in range(self.posted + 1, posted + 1):
            self.posted_at[number] = now
        self.posted = max(self.posted, posted)
        lag = now - self.posted_at[finalised + 1] if finalised < posted else 0.0
        self.samples.append((now, lag))

    def worst(self, start, end):
        return max((lag for at, lag in self.samples if start <= at < end), default=0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("root")
    parser.add_argument("--rate", type=int, default=200, help="transfers a second")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--provers", type=int, default=1)
    parser.add_argument("--batch-seconds", type=int, default=30)
    parser.add_argument("--out", help="also write the result to this file")
    args = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="quarry-load-")
    net = Devnet(os.path.join(folder, "net"), "--provers", str(args.provers), "--rate", str(args.rate), "--batch-seconds",
                 str(args.batch_seconds), "--proving-seconds", "3600")
    try:
        result = measure(net, args)
    finally:
        net.stop()
        shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(result, indent=2)
    print(text)
    if args.out:
        with open(args.out, "w") as file:
            file.write(text + "\n")
    sys.exit(0 if result["holds"] else 1)


def measure(net, args):
    first = net.sequencer_status()
    start, lag, said = time.monotonic(), Lag(), 0.0
    # What was posted and not yet final before the load began is not of this measurement.
    lag.posted = first.get("posted_batch", 0)
    lag.posted_at = {number: 0.0 for number in range(first.get("finalised_batch", 0) + 1, lag.posted + 1)}
    seconds = args.minutes * 60
    executed_from = net.status["executed_operations"] if net.status else 0
    final_from = first.get("finalised_batch", 0)
    while (now := time.monotonic() - start) < seconds:
        if net.process.poll() is not None:
            sys.exit(f"sustained_load: the network ended with {net.process.returncode}\n{net.logs()}")
        status = net.sequencer_status()
        if status:
            lag.sample(now, status.get("posted_batch", 0), status.get("finalised_batch", 0))
        if now - said > 15:
            said = now
            print(f"{now:6.0f} s: {json.dumps({k: status.get(k) for k in ('batch', 'posted_batch', 'finalised_batch')})}, "
                  f"lag {lag.samples[-1][1] if lag.samples else 0:.0f} s, {(net.status or {}).get('executed_operations')} operations",
                  file=sys.stderr, flush=True)
        time.sleep(0.5)
    thirds = [round(lag.worst(seconds * i / 3, seconds * (i + 1) / 3), 1) for i in range(3)]
    executed = net.status["executed_operations"] - executed_from
    return {
        "rate": args.rate, "minutes": args.minutes, "provers": args.provers, "batch_seconds": args.batch_seconds,
        "executed_operations": executed, "executed_per_second": round(executed / seconds, 1),
        "final_batches": net.sequencer_status().get("finalised_batch", 0) - final_from,
        "worst_lag_seconds_by_third": thirds, "growth": round(thirds[2] / thirds[1], 2) if thirds[1] else None,
        "max_growth": MAX_GROWTH, "max_lag_seconds": MAX_LAG_SECONDS,
        "holds": thirds[1] > 0 and thirds[2] <= MAX_GROWTH * thirds[1] and thirds[2] <= MAX_LAG_SECONDS
                 and executed >= 0.95 * args.rate * seconds,
        "machine": machine(),
    }


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    return {"cpu": model, "cores": os.cpu_count(), "binary": os.path.basename(BINARY)}


if __name__ == "__main__":
    main()

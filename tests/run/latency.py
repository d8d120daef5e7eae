#!/usr/bin/env python3
"""Where the time of a withdrawal goes, from the request to the moment when it can be claimed, on an idle network of this machine with
two provers. Prints one JSON document; docs/performance.md has its figures.

latency.py BINARY ROOT [WITHDRAWALS]
"""
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "devnet"))
import harness
from harness import BINARY, ROOT, Devnet, Wallet

WINDOW = 7200  # no batch is discarded on a slow machine
# The steps of quarry_status, in their order.
STEPS = ("posted_batch", "proven_batch", "finalised_batch")


def tasks_of(net, batch):
    """Seconds and CPU seconds of the tasks of the proof that has the batch, by kind, of whichever prover made it."""
    for name in sorted(n for n in os.listdir(net.folder) if n.startswith("prover-")):
        jobs = os.path.join(net.folder, name, "jobs")
        for job in os.listdir(jobs) if os.path.isdir(jobs) else []:
            with open(os.path.join(jobs, job, "job.json")) as file:
                record = json.load(file)
            if record["state"] not in ("submitted", "settled"):
                continue
            if str(batch) not in [b.split(":")[1] for b in record["batches"].split()]:
                continue
            found = {}
            for task in net.quarry("tasks", os.path.join(jobs, job, "work"))["tasks"]:
                if "last" not in task:  # another job had its result
                    continue
                part = found.setdefault(task["kind"], {"tasks": 0, "seconds": 0, "cpu_seconds": 0})
                part["tasks"] += 1
                part["seconds"] += task["last"]["wall_ms"] / 1000
                part["cpu_seconds"] += task["last"]["cpu_ms"] / 1000
            return found
    return {}


def measure(net, wallet):
    start = time.monotonic()
    withdrawal = wallet("withdraw", "--amount", "0.01")
    batch = withdrawal["batch"]
    at = {"executed": round(time.monotonic() - start, 1)}
    for step in STEPS:
        net.wait(f"{step} is not {batch}", lambda: net.sequencer_status().get(step, 0) >= batch, harness.PROOF_SECONDS, pause=0.1)
        at[step.removesuffix("_batch")] = round(time.monotonic() - start, 1)
    return {"seconds": at["finalised"], "at": at, "tasks": tasks_of(net, batch)}


def main():
    withdrawals = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    folder = tempfile.mkdtemp(prefix="quarry-latency-")
    net = None
    try:
        net = Devnet(folder, "--provers", "2", "--rate", "0", "--accounts", "16", "--batch-seconds", "3",
                     "--proving-seconds", str(WINDOW), "--set", "l1.placement=blobs")
        wallet = Wallet(net)
        wallet.l1("deposit", "--amount", "1")
        net.wait_final(net.close_batches())  # nothing is left to prove
        runs = [measure(net, wallet) for _ in range(withdrawals)]
        print(json.dumps({"cores": os.cpu_count(), "load_average": os.getloadavg()[0], "withdrawals": runs}, indent=2))
    finally:
        if net is not None:
            net.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if not BINARY:
        sys.exit(__doc__)
    main()

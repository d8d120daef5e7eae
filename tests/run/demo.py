#!/usr/bin/env python3
"""The whole story on a chain of its own: deposit, transfers, blobs, two provers, verification on chain, a withdrawal that is
claimed, a batch that nobody proves. What `./run demo` shows; fails when a step does not behave as it says.

demo.py BINARY ROOT
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "devnet"))
import harness
from harness import BINARY, ROOT, Devnet, Wallet, cast

ACCOUNTS = 64
LOAD_SECONDS = 3
LOAD_RATE = 2000  # more than it takes: what is accepted is what the sequencer can do
BATCH_SECONDS = 6
WINDOW = 600  # the chain's clock is moved past it
THIEF = "0x00000000000000000000000000000000000000bb"
# The peak of a prover that makes a terminal proof; the rest of the network is small.
PROVER_GIB = 10
ETHER = 10**18


def say(text):
    print(f"\n-- {text}", flush=True)


def note(text):
    print(f"   {text}", flush=True)


def memory_gib():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) / 2**20


def ether(wei):
    return f"{wei / ETHER:.6f}".rstrip("0").rstrip(".")


class Demo:
    def __init__(self):
        self.start = time.monotonic()
        self.folder = os.path.join(ROOT, "out/demo")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.provers = max(1, min(2, int(memory_gib() // PROVER_GIB)))
        self.net = None
        self.loads = []
        self.orphans = {}

    def show(self, *args):
        """Runs the program, and shows the command."""
        print("   $ quarry " + " ".join(args), flush=True)

    def check(self, holds, what):
        if not holds:
            sys.exit(f"demo: {what}\n{self.net.logs()}")

    def operations(self, first, last):
        """Ids of the operations in these batches, in order."""
        return [i for n in range(first, last + 1) for i in self.net.rpc("quarry_getBatch", number=n, operations=True)["operations"]]

    # --- the steps

    def start_network(self):
        say(f"1. A network on this machine: a chain with mainnet's limits, the contracts, a sequencer, {self.provers} provers")
        if self.provers < 2:
            note(f"(two provers need {2 * PROVER_GIB} GiB of free memory, and there are {memory_gib():.0f}: one proves)")
        args = ["--provers", str(self.provers), "--rate", "0", "--accounts", str(ACCOUNTS), "--batch-seconds", str(BATCH_SECONDS),
                "--proving-seconds", str(WINDOW), "--set", "late.discard_after_seconds=5", "--set", "l1.placement=blobs",
                "--prover-set", "prover.patience_seconds=0"]  # they race: without it the second one stands by
        self.show("devnet", "--dir", "out/demo/network", *args)
        self.net = Devnet(os.path.join(self.folder, "network"), *args)
        n = self.net.network
        note(f"hub {n['hub']}, bridge {n['bridge']}, rollup {n['rollup']}; ready after {n['seconds']} s")
        note(f"{ACCOUNTS} accounts got a slot each by deposits on the chain")

    def bring_money_in(self):
        say("2. A user deposits 1 ETH, pays 0.1 to another account, and asks for 0.25 back")
        self.wallet = Wallet(self.net)
        self.show("wallet", "deposit", "--amount", "1", "--ethereum-key", "user.key")
        deposit = self.wallet.l1("deposit", "--amount", "1")
        note(f"credited: deposit {deposit['index']} of the queue, as {deposit['receiving_address'][:24]}..")
        self.show("wallet", "transfer", "--to", "3", "--amount", "0.1")
        paid = self.wallet("transfer", "--to", "3", "--amount", "0.1")
        self.requested_at = time.time()
        self.show("wallet", "withdraw", "--amount", "0.25")
        self.withdrawal = self.wallet("withdraw", "--amount", "0.25")
        self.executed_at = time.time()
        note(f"executed in batches {paid['batch']} and {self.withdrawal['batch']}: the sequencer's word, after milliseconds")

    def load(self):
        self.show("load", "--accounts", str(ACCOUNTS), "--rate", str(LOAD_RATE), "--seconds", str(LOAD_SECONDS))
        done = subprocess.run(
            [BINARY, "load", "--json", "--rpc", self.net.network["rpc"], "--seed", "1", "--first", "0", "--accounts", str(ACCOUNTS),
             "--connections", "2", "--group", str(ACCOUNTS // 2), "--rate", str(LOAD_RATE), "--seconds", str(LOAD_SECONDS)],
            text=True, capture_output=True, timeout=300)
        if done.returncode != 0:
            sys.exit(f"demo: the load failed: {done.stdout}{done.stderr}")
        figures = json.loads(done.stdout)
        if figures["receipts_executed"] != figures["receipts_checked"] or figures["executed"] == 0:
            sys.exit(f"demo: not everything was executed: {figures}")
        self.loads.append(figures)
        note(f"{figures['executed']} transfers executed, {figures['accepted_per_second']} a second: signatures checked, on disk")

    def watch(self, batch):
        """Until the batch is final; says what happens meanwhile."""
        said = {}
        deadline = time.monotonic() + harness.PROOF_SECONDS
        while True:
            status = self.net.sequencer_status()
            now = {k: status.get(k, 0) for k in ("batch", "posted_batch", "proven_batch", "finalised_batch")}
            if now != said:
                at_work = [str(i + 1) for i, p in enumerate((self.net.status or {}).get("provers", [])) if p["proving"]]
                note(f"{time.monotonic() - self.start:5.0f} s: batch {now['batch']} closed, {now['posted_batch']} posted, "
                     f"{now['finalised_batch']} final" + (f"; at work: prover {' and '.join(at_work)}" if at_work else ""))
                said = now
            if now["finalised_batch"] >= batch:
                return
            if time.monotonic() > deadline or self.net.process.poll() is not None:
                sys.exit(f"demo: batch {batch} did not become final\n{self.net.logs()}")
            time.sleep(0.5)

    def prove(self):
        say("4. The sequencer posts the batches in blobs; provers, who know the chain alone, race for the bounties")
        self.last = self.net.close_batches()
        self.watch(self.withdrawal["batch"])
        self.claimable_at = time.time()
        self.watch(self.last)
        for log in self.net.proven():
            note(f"batch {int(log['topics'][2], 16)}: verified on chain in block {int(log['blockNumber'], 16)}, won by prover "
                 f"{self.prover_of(log) + 1}")

    def claim(self):
        say("5. The withdrawal is final: the user claims it on the chain")
        account = self.address("user")
        before = int(self.net.l1("eth_getBalance", account, "latest"), 16)
        self.show("wallet", "claim", "--ethereum-key", "user.key")
        claimed = self.wallet.l1("claim")
        paid = int(self.net.l1("eth_getBalance", account, "latest"), 16) - before
        if len(claimed["withdrawals"]) != 1 or not 0.24 * ETHER < paid <= 0.25 * ETHER:
            sys.exit(f"demo: the claim paid {paid} wei: {claimed}")
        note(f"{ether(paid)} ETH arrived: 0.25 less gas")

    def cheat(self):
        say("6. Somebody takes a proof out of the pool: changed by a bit, or under another payee, the contract refuses it")
        log = self.net.proven()[-1]
        proof = self.net.l1("eth_getTransactionByHash", log["transactionHash"])
        before = hex(int(log["blockNumber"], 16) - 1)
        payee = log["topics"][3][-40:]

        def call(data):
            try:
                self.net.l1("eth_call", {"from": THIEF, "to": proof["to"], "data": data, "gas": hex(16_000_000)}, before, timeout=120)
                return None
            except harness.RpcError as refused:
                return (refused.error.get("data") or "")[:10]
        if call(proof["input"]) is not None:
            sys.exit("demo: the proof itself is refused")
        note("as it is, sent by anybody: accepted, and its payee is paid")
        rejected = cast("sig", "ProofRejected(bytes)")
        stolen = proof["input"].replace(payee, THIEF[2:])
        # Some way into the proof, which is the last thing in the calldata.
        at = len(proof["input"]) - 20_000
        changed = proof["input"][:at] + format(int(proof["input"][at], 16) ^ 1, "x") + proof["input"][at + 1:]
        for what, data in (("under another payee", stolen), ("with one bit changed", changed)):
            if data == proof["input"] or call(data) != rejected:
                sys.exit(f"demo: a proof {what} was not refused: {call(data)}")
            note(f"{what}: ProofRejected")

    def leave_unproven(self):
        say("7. The provers are frozen, so that nobody proves; the proving window passes (the chain's clock is moved)")
        late = self.net.close_batches()
        for i in range(self.provers):
            self.net.signal(f"prover-{i + 1}", signal.SIGSTOP)
        self.load()
        late = self.net.close_batches()
        self.net.wait_posted(late)
        first = self.net.sequencer_status()["finalised_batch"] + 1
        executed = self.operations(first, late)
        numbers = range(first, late + 1)
        submissions = [self.net.submitted(n)[-1] for n in numbers]
        self.check(executed, "the load's operations are in no batch that waits for a proof")
        note(f"batches {first} to {late}, with {len(executed):,} operations, are on the chain, and nobody proves them")
        self.net.l1("evm_increaseTime", WINDOW)
        discard = self.net.wait("the sequencer did not discard the late batch", self.net.discarded)[-1]
        dropped = [int(discard["data"][2 + 64 * i:66 + 64 * i], 16) for i in range(2)]
        self.check(dropped == [first, late], f"batches {dropped} were discarded, not {first} to {late}")
        self.check(not any(self.net.proven(n) for n in numbers), "a batch was proven while the provers were frozen")
        # BatchSubmitted's data begins with the submission's id, which BondSlashed names.
        bonds = {int(log["topics"][1], 16): log["data"] for log in self.net.hub_logs("BondSlashed(uint64,uint96,uint96)")}
        lost = bonds.get(int(submissions[0]["data"][2:66], 16), "0x" + "0" * 128)
        lost = int(lost[2:66], 16) + int(lost[66:130], 16)
        self.check(lost > 0, f"batch {first} cost no bond: {bonds}")
        note(f"the sequencer lost {ether(lost)} ETH of its bond for batch {first}, and discarded {first} to {late} in block "
             f"{int(discard['blockNumber'], 16)}")
        self.net.wait("the batch was not posted again", lambda: len(self.net.submitted(first)) == 2)
        for i in range(self.provers):
            self.net.signal(f"prover-{i + 1}", signal.SIGCONT)

        def executed_again():
            self.last = self.net.close_batches()
            return len(self.operations(first, self.last)) >= len(executed)
        self.net.wait("the operations were not executed again", executed_again)
        again = self.operations(first, self.last)
        self.check(again[:len(executed)] == executed, "the operations were not executed again in the same order")
        note(f"its operations were executed again, in the same order, in batches {first} to {self.last}")
        self.watch(self.last)
        for n in range(first, self.last + 1):
            proven = self.net.proven(n)
            self.check(len(proven) == 1 and int(proven[0]["blockNumber"], 16) > int(discard["blockNumber"], 16),
                       f"batch {n} was not proven once, after it was posted again: {proven}")
        self.orphans = {"from": first, "to": late, "operations": len(executed)}

    def rewards(self):
        say("8. Who is paid")
        where = ["--l1", self.net.network["l1"], "--deployment", self.net.network["deployment"]]
        for i, payee in enumerate(self.net.network["payees"]):
            earned = self.net.quarry("rewards", "--account", payee, *where)
            if len(earned["batches"]) != self.wins(i):
                sys.exit(f"demo: prover {i + 1} won {self.wins(i)} batches: {earned}")
            if int(earned["credit"]) == 0:
                note(f"prover {i + 1}: won nothing")
                continue
            self.show("rewards", "--account", payee, "--collect")
            self.net.quarry("rewards", "--account", payee, "--collect", *where, "--key", self.net.network["keys"]["user"])
            balance = int(self.net.l1("eth_getBalance", payee, "latest"), 16)
            if balance != int(earned["credit"]):
                sys.exit(f"demo: prover {i + 1} was paid {balance} instead of {earned['credit']}")
            note(f"prover {i + 1}: {ether(balance)} ETH on its account, for {self.wins(i)} batches")

    # --- figures

    def address(self, name):
        return cast("wallet", "address", self.net.key(name))

    def prover_of(self, log):
        return [p.lower() for p in self.net.network["payees"]].index("0x" + log["topics"][3][-40:])

    def wins(self, prover):
        return sum(self.prover_of(log) == prover for log in self.net.proven())

    def receipt(self, transaction):
        return self.net.l1("eth_getTransactionReceipt", transaction)

    def time_of(self, log):
        return int(self.net.l1("eth_getBlockByNumber", log["blockNumber"], False)["timestamp"], 16)

    def verification_gas(self, transaction):
        """Gas of the calls to verifying contracts, from the chain's own trace."""
        with open(self.net.network["deployment"]) as file:
            d = json.load(file)
        fronts = {d[k].lower() for k in ("verifier_one", "verifier_four", "verifier_sixteen")}

        def gas(call):
            if call.get("to", "").lower() in fronts:
                return int(call["gasUsed"], 16)
            return sum(gas(inner) for inner in call.get("calls", []))
        return gas(self.net.l1("debug_traceTransaction", transaction, {"tracer": "callTracer"}, timeout=300))

    def table(self):
        say("What happened, from receipts and metrics")

        def row(name, value, text=""):
            print(f"   {name:<38} {value:>14}  {text}".rstrip(), flush=True)
        proven = {int(log["topics"][2], 16): log for log in self.net.proven()}
        operations = {n: self.net.rpc("quarry_getBatch", number=n)["num_operations"] for n in proven}
        transfers = sum(operations.values())
        posts = [self.net.submitted(n)[-1] for n in sorted(proven)]
        receipts = [self.receipt(log["transactionHash"]) for log in posts]
        data_gas = sum(int(r["gasUsed"], 16) for r in receipts)
        blob_gas = sum(int(r.get("blobGasUsed") or "0x0", 16) for r in receipts)
        proofs = sorted({log["transactionHash"] for log in proven.values()})
        proof_gas = [int(self.receipt(t)["gasUsed"], 16) for t in proofs]
        verification = [self.verification_gas(t) for t in proofs]
        row("operations in final batches", f"{transfers:,}", f"{len(proven)} batches, {len(proofs)} proofs")
        row("executed a second", f"{max(l['accepted_per_second'] for l in self.loads):,.0f}",
            f"signed here too; {sum(l['executed'] for l in self.loads):,} by the load generator")
        busiest = max(operations, key=operations.get)
        waited = self.time_of(proven[busiest]) - self.time_of(self.net.submitted(busiest)[-1])
        together = sum(operations[n] for n in proven if proven[n]["transactionHash"] == proven[busiest]["transactionHash"])
        row("proven a second", f"{together / max(waited, 1):,.1f}", f"{together:,} in {waited} s from posted to verified on chain, "
            f"{self.provers} provers on {os.cpu_count()} cores")
        row("gas a transfer, data", f"{data_gas / transfers:,.0f}", f"{data_gas:,} gas; blobs: {blob_gas:,} of blob gas beside it")
        row("gas a transfer, verification", f"{sum(verification) / transfers:,.0f}", f"{max(verification):,} a proof, from traces")
        row("gas a transfer, settlement", f"{(sum(proof_gas) - sum(verification)) / transfers:,.0f}",
            f"the rest of {max(proof_gas):,} for a proof's transaction")
        number = self.withdrawal["batch"]
        posted, verified = self.time_of(self.net.submitted(number)[0]), self.time_of(proven[number])
        row("withdrawal, request to claimable", f"{self.claimable_at - self.requested_at:,.0f} s",
            f"executed {self.executed_at - self.requested_at:.1f} s, on the chain {posted - self.requested_at:.0f} s, verified "
            f"{verified - posted:.0f} s later")
        for i in range(self.provers):
            won = [str(n) for n in sorted(proven) if self.prover_of(proven[n]) == i]
            row(f"won by prover {i + 1}", f"{len(won)}", "batches " + ", ".join(won) if won else "")
        row("left unproven and posted again", f"{self.orphans['to'] - self.orphans['from'] + 1}",
            f"batches {self.orphans['from']} to {self.orphans['to']}, {self.orphans['operations']:,} operations")
        row("in all", f"{time.monotonic() - self.start:.0f} s")
        with open(os.path.join(self.folder, "figures.json"), "w") as file:
            json.dump({"operations": transfers, "batches": len(proven), "proofs": len(proofs), "data_gas": data_gas, "blob_gas": blob_gas,
                       "verification_gas": verification, "proof_gas": proof_gas, "loads": self.loads,
                       "withdrawal_seconds": self.claimable_at - self.requested_at}, file, indent=2)

    def run(self):
        try:
            self.start_network()
            self.bring_money_in()
            say("3. Thousands of transfers, from a load generator")
            self.load()
            self.prove()
            self.claim()
            self.cheat()
            self.leave_unproven()
            self.rewards()
            self.table()
        finally:
            if self.net is not None:
                code = self.net.stop()
                if code != 0:
                    sys.exit(f"demo: the network ended with {code}: {self.net.process.stderr.read()}")
        print(f"\nEverything is in out/demo; `build/quarry devnet --dir out/demo/network` goes on with it, `build/quarry --help` lists all "
              "commands.", flush=True)


if __name__ == "__main__":
    if not BINARY:
        sys.exit("usage: demo.py BINARY ROOT")
    Demo().run()

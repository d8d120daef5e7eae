#!/usr/bin/env python3
"""Two provers that race on a real chain, and what can go wrong: killed in the middle, in the same block, robbed, too late.

Every test proves at least one batch: minutes each on a small machine, so it is not part of ./run test.
    python3 tests/devnet/prover_test.py build/quarry . [TEST ..]
"""
import json
import os
import signal

import harness
from harness import NetworkTest, Wallet, cast

THIEF = "0x00000000000000000000000000000000000ddead"
WINDOW = 7200


def revert_data(failure):
    return failure.error.get("data", "") or ""


class ProverFaults(NetworkTest):
    ARGS = ("--provers", "2", "--rate", "0", "--accounts", "16", "--batch-seconds", "3", "--proving-seconds", str(WINDOW),
            "--set", "late.discard_after_seconds=0", "--set", "l1.placement=blobs", "--prover-set", "l1.confirmations=1",
            "--prover-set", "prover.patience_seconds=0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.net.wait_final(cls.net.close_batches())
        cls.payees = [p.lower() for p in cls.net.network["payees"]]
        cls.senders = [cast("wallet", "address", cls.net.key(f"prover-{i}")).lower() for i in (1, 2)]

    def setUp(self):
        for name in ("prover-1", "prover-2"):
            self.net.signal(name, signal.SIGCONT)

    def tearDown(self):
        self.net.resume_blocks()

    def new_batch(self):
        """A batch of a few transfers that is on L1 and not proven."""
        self.net.load(rate=16, seconds=1)
        batch = self.net.close_batches()
        self.net.wait_posted(batch)
        return batch

    def proofs_waiting(self, count):
        """Proofs of `count` provers that wait for a block."""
        def waiting():
            found = [t for t in self.net.pending(self.net.network["hub"]) if t["from"].lower() in self.senders]
            return found if len({t["from"] for t in found}) >= count else None
        return self.net.wait(f"{count} provers did not hand in a proof", waiting, harness.PROOF_SECONDS)

    def tasks_of(self, prover, batch):
        """The tasks of this prover's proof of the batch, by id; none before they are planned."""
        jobs = os.path.join(self.net.folder, prover, "jobs")
        for job in os.listdir(jobs) if os.path.isdir(jobs) else []:
            record, work = os.path.join(jobs, job, "job.json"), os.path.join(jobs, job, "work")
            if not os.path.exists(record) or not os.path.exists(os.path.join(work, "tree.txt")):
                continue
            with open(record) as file:
                numbers = [int(b.split(":")[1]) for b in json.load(file)["batches"].split()]
            if batch in numbers:
                return {task["id"]: task for task in self.net.quarry("tasks", work)["tasks"]}
        return {}

    def call(self, transaction, data):
        """None if the call would succeed, else what it reverts with."""
        try:
            self.net.l1("eth_call", {"from": THIEF, "to": self.net.network["hub"], "data": data, "gas": hex(16_000_000)}, "latest", timeout=60)
        except harness.RpcError as refused:
            return revert_data(refused)
        return None

    def relay(self, transaction, priority_gwei):
        """Somebody else sends the same call; its hash."""
        sender = cast("wallet", "address", self.net.key("user"))
        self.net.l1("anvil_impersonateAccount", sender)
        return self.net.l1("eth_sendTransaction", {
            "from": sender, "to": self.net.network["hub"], "data": transaction["input"], "gas": hex(16_000_000),
            "maxFeePerGas": hex(100 * 10**9), "maxPriorityFeePerGas": hex(priority_gwei * 10**9)}, timeout=60)

    def test_1_killed_in_the_middle_of_a_proof(self):
        self.net.signal("prover-2", signal.SIGSTOP)  # nobody else helps
        batch = self.new_batch()

        def done():
            return {id: task for id, task in self.tasks_of("prover-1", batch).items() if task["state"] == "done"}
        before = self.net.wait("no task is done", done, harness.PROOF_SECONDS)
        self.assertLess(len(before), len(self.tasks_of("prover-1", batch)), "it is in the middle")
        restarts = self.net.kill("prover-1")
        self.net.wait_restarted("prover-1", restarts)
        self.net.wait_final(batch)
        logs = self.net.proven(batch)
        self.assertEqual(len(logs), 1)
        self.assertEqual("0x" + logs[0]["topics"][3][-40:], self.payees[0])
        after = self.tasks_of("prover-1", batch)
        for id, task in before.items():
            self.assertEqual(after[id]["executions"], task["executions"], f"{task['kind']} was done before the kill")

    def test_2_two_proofs_in_the_same_block_and_a_thief(self):
        batch = self.new_batch()
        self.net.hold_blocks()
        first = self.proofs_waiting(1)[0]
        # The other prover sees that this one would come first, and keeps its proof. Once it is out of the pool, that one
        # comes in; then the first is there again, as sent by a node that had not seen the other.
        raw = self.net.l1("eth_getRawTransactionByHash", first["hash"])
        self.net.signal("prover-%d" % (1 + self.senders.index(first["from"].lower())), signal.SIGSTOP)
        self.net.l1("anvil_dropTransaction", first["hash"])
        self.proofs_waiting(1)
        self.net.l1("eth_sendRawTransaction", raw)
        proofs = self.proofs_waiting(2)
        for name in ("prover-1", "prover-2"):
            self.net.signal(name, signal.SIGCONT)
        for proof in proofs:
            payee = self.payees[self.senders.index(proof["from"].lower())][2:]
            self.assertIn(payee, proof["input"])
            self.assertIsNone(self.call(proof, proof["input"]), "the proof itself is good")
            # The proof is in the pool for everybody to see: the same one for another payee is worth nothing.
            stolen = self.call(proof, proof["input"].replace(payee, THIEF[2:]))
            self.assertTrue(stolen and stolen.startswith(cast("sig", "ProofRejected(bytes)")), stolen)
        self.net.mine()
        receipts = [self.net.l1("eth_getTransactionReceipt", p["hash"]) for p in proofs]
        self.assertEqual(sorted(r["status"] for r in receipts), ["0x0", "0x1"])
        self.assertEqual({r["blockNumber"] for r in receipts if r} and len({r["blockNumber"] for r in receipts}), 1)
        logs = self.net.proven(batch)
        self.assertEqual(len(logs), 1)
        winner = next(p for p, r in zip(proofs, receipts) if r["status"] == "0x1")
        self.assertEqual("0x" + logs[0]["topics"][3][-40:], self.payees[self.senders.index(winner["from"].lower())])
        self.net.resume_blocks()
        self.net.wait_final(self.new_batch())  # the one that lost goes on too

    def late_proof(self):
        """A proof that waits for a block when its batch is late; the provers do nothing more. The batch, the proof."""
        batch = self.new_batch()
        self.net.hold_blocks()
        proof = self.proofs_waiting(1)[0]
        for name in ("prover-1", "prover-2"):
            self.net.signal(name, signal.SIGSTOP)
        for waiting in self.net.pending(self.net.network["hub"]):
            if waiting["from"].lower() in self.senders:
                self.net.l1("anvil_dropTransaction", waiting["hash"])
        self.net.l1("evm_increaseTime", WINDOW + 1)
        self.net.mine()
        self.assertEqual(self.net.proven(batch), [])
        discards = cast("sig", "discardUnproven(uint32,uint64)")
        self.net.wait("the sequencer does not discard", lambda: any(
            t["input"].startswith(discards) for t in self.net.pending(self.net.network["hub"])))
        return batch, proof

    def test_3_a_late_proof_comes_before_the_discard(self):
        discarded = len(self.net.discarded())
        batch, proof = self.late_proof()
        self.relay(proof, 50)
        self.net.mine()
        self.assertEqual(len(self.net.proven(batch)), 1)
        self.assertEqual(len(self.net.discarded()), discarded)
        self.net.resume_blocks()
        self.net.wait_final(batch)

    def test_4_a_late_proof_comes_after_the_discard(self):
        discarded = len(self.net.discarded())
        batch, proof = self.late_proof()
        self.net.mine()
        late = self.relay(proof, 1)
        self.net.mine()
        self.assertEqual(len(self.net.discarded()), discarded + 1)
        self.assertEqual(self.net.l1("eth_getTransactionReceipt", late)["status"], "0x0")
        self.assertEqual(self.net.proven(batch), [])
        self.net.resume_blocks()
        for name in ("prover-1", "prover-2"):
            self.net.signal(name, signal.SIGCONT)
        # The operations are executed again; the batch that has the number now is posted and proven.
        self.net.wait("no other batch was posted", lambda: len(self.net.submitted(batch)) == 2)
        self.net.wait_final(batch)

    def test_5_a_withdrawal_is_claimed(self):
        wallet = Wallet(self.net)
        wallet.l1("deposit", "--amount", "0.5")
        withdrawal = wallet("withdraw", "--amount", "0.2")
        self.net.wait_final(withdrawal["batch"])
        account = cast("wallet", "address", self.net.key("user"))
        before = int(self.net.l1("eth_getBalance", account, "latest"), 16)
        wallet.l1("claim")
        paid = int(self.net.l1("eth_getBalance", account, "latest"), 16) - before
        self.assertGreater(paid, 19 * 10**16)  # less the gas
        self.assertLessEqual(paid, 2 * 10**17)

    def test_6_sixteen_batches_in_one_proof(self):
        wallet = Wallet(self.net, "wallet-of-16")
        wallet.l1("deposit", "--amount", "0.5")
        self.net.wait_final(self.net.close_batches())
        for name in ("prover-1", "prover-2"):
            self.net.signal(name, signal.SIGSTOP)
        batches = []
        for _ in range(16):
            batches.append(wallet("withdraw", "--amount", "0.01")["batch"])
            self.net.close_batches()
        self.assertEqual(batches, list(range(batches[0], batches[0] + 16)))
        self.net.wait_posted(batches[-1])
        self.net.signal("prover-1", signal.SIGCONT)
        self.net.wait_final(batches[-1], 2 * harness.PROOF_SECONDS)
        transactions = {self.net.proven(n)[-1]["transactionHash"] for n in batches}
        self.assertEqual(len(transactions), 1, "one proof of all")
        receipt = self.net.l1("eth_getTransactionReceipt", transactions.pop())
        proof = self.net.l1("eth_getTransactionByHash", receipt["transactionHash"])
        gas, size = int(receipt["gasUsed"], 16), (len(proof["input"]) - 2) // 2
        self.assertLessEqual(gas, 1 << 24, "EIP-7825")
        self.assertLessEqual(size, 128 << 10, "what nodes relay")
        print(f"sixteen batches, a blob and a withdrawal each, one transaction: {gas:,} gas, {size:,} bytes of calldata", flush=True)


if __name__ == "__main__":
    harness.main()

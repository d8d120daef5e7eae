#!/usr/bin/env python3
"""A sequencer on a real chain whose process, endpoint and chain fail: no acknowledged operation is lost, no batch is posted twice,
and what is on L1 is what the sequencer says. No prover takes part.

sequencer_test.py BINARY ROOT
"""
import os
import signal
import time

import harness
from harness import NetworkTest, cast, wait_for

ACCOUNTS = 16
BATCH_SECONDS = 3


class SequencerFaults(NetworkTest):
    ARGS = ("--provers", "0", "--rate", "0", "--accounts", str(ACCOUNTS), "--batch-seconds", str(BATCH_SECONDS),
            "--proving-seconds", "3600", "--set", "l1.final_confirmations=16")

    def nonces(self):
        """Executed operations of each account that the load uses."""
        return [self.net.rpc("quarry_getAccount", slot=i)["accounts"][0]["nonce"] for i in range(ACCOUNTS)]

    def send(self):
        """One acknowledged transfer of each account."""
        answer = self.net.load(rate=ACCOUNTS, seconds=1, accounts=ACCOUNTS)
        self.assertEqual(answer["executed"], ACCOUNTS, answer)

    def wait_answers(self):
        self.net.wait("the sequencer does not answer", lambda: self.net.sequencer_status().get("ready"))

    def check_chain(self):
        """Every batch up to the last one is posted, once, and L1's header is the sequencer's."""
        last = self.net.close_batches()
        self.net.wait_posted(last)
        for number in range(1, last + 1):
            # After a reorganisation the sequencer's word is older than the chain for a moment.
            logs = self.net.wait(f"batch {number} is not on L1", lambda: self.net.submitted(number))
            self.assertEqual(len(logs), 1, f"batch {number}")
            # data: id, header hash, offset of the header, ..
            on_l1 = "0x" + logs[0]["data"][2 + 64:2 + 128]
            self.assertEqual(on_l1, self.net.rpc("quarry_getBatch", number=number)["hash"], f"batch {number}")
        return last

    def hold_until_a_batch_is_sent(self):
        """No more blocks, and a batch's transaction that waits for one: its number."""
        self.check_chain()
        self.net.hold_blocks()
        before = self.net.sequencer_status()["batch"]
        self.send()
        self.net.wait("no batch was sent", lambda: self.net.pending(self.net.network["hub"]))
        return before + 1

    def tearDown(self):
        self.net.resume_blocks()

    def test_1_killed_between_execution_and_posting(self):
        self.check_chain()
        before = self.nonces()
        self.send()
        restarts = self.net.kill("sequencer")
        self.net.wait_restarted("sequencer", restarts)
        self.wait_answers()
        self.assertEqual(self.nonces(), [n + 1 for n in before])
        self.check_chain()
        self.assertEqual(self.nonces(), [n + 1 for n in before])

    def test_2_killed_between_posting_and_recording(self):
        number = self.hold_until_a_batch_is_sent()
        restarts = self.net.kill("sequencer")
        self.net.mine()  # nobody sees it
        self.assertEqual(len(self.net.submitted(number)), 1)
        self.net.resume_blocks()
        self.net.wait_restarted("sequencer", restarts)
        self.wait_answers()
        self.assertGreaterEqual(self.check_chain(), number)

    def test_3_killed_while_a_batch_waits_for_a_block(self):
        number = self.hold_until_a_batch_is_sent()
        restarts = self.net.kill("sequencer")
        self.net.wait_restarted("sequencer", restarts)
        self.wait_answers()
        self.net.resume_blocks()
        self.assertGreaterEqual(self.check_chain(), number)

    def test_4_the_endpoint_does_not_answer(self):
        self.check_chain()
        before = self.nonces()
        self.net.signal("l1", signal.SIGSTOP)  # the port is open, nobody answers
        try:
            self.send()  # the rollup goes on
            self.assertEqual(self.nonces(), [n + 1 for n in before])
            time.sleep(float(os.environ.get("QUARRY_L1_DOWN_SECONDS", "8")))
        finally:
            self.net.signal("l1", signal.SIGCONT)
        self.check_chain()

    def test_5_reorganisations_that_drop_a_batch(self):
        for depth in (1, 3, 7):
            with self.subTest(depth=depth):
                number = self.hold_until_a_batch_is_sent()
                self.net.mine(depth)
                self.assertEqual(len(self.net.submitted(number)), 1)
                self.net.l1("anvil_reorg", depth, [])
                self.assertEqual(self.net.submitted(number), [], "the reorganisation did not drop the batch")
                self.net.resume_blocks()
                self.assertGreaterEqual(self.check_chain(), number)

    def test_6_a_reorganisation_that_drops_a_deposit_from_a_batch(self):
        self.check_chain()
        before = self.net.rpc("quarry_stateRoot")
        nonces = self.nonces()
        self.net.hold_blocks()
        # What a wallet sends, of an account that sends it once: an owner whose key hash is zero is as good as any.
        key = self.net.key("user")
        cast("send", "--async", "--rpc-url", self.net.network["l1"], "--private-key", key, "--value", "12345", self.net.network["bridge"],
             "deposit(uint32,uint16,uint256,bytes32,address,uint32)", str(self.net.network["rollup"]), "0", "12345", "0x" + "00" * 32,
             cast("wallet", "address", key), str(2**32 - 1))
        self.net.mine(3)
        # It is confirmed, so that a batch takes it in.
        self.net.wait("no batch has the deposit",
                      lambda: self.net.rpc("quarry_stateRoot")["deposit_cursor"] == before["deposit_cursor"] + 1)
        self.net.l1("anvil_reorg", 3, [])
        self.send()
        self.net.resume_blocks()
        self.net.wait("the deposit is still in a batch",
                      lambda: self.net.rpc("quarry_stateRoot")["deposit_cursor"] == before["deposit_cursor"])
        self.check_chain()
        self.assertEqual(self.net.rpc("quarry_status")["slots"], before["slot_count"])
        self.net.wait("operations were lost with the batch", lambda: self.nonces() == [n + 1 for n in nonces])


if __name__ == "__main__":
    harness.main()

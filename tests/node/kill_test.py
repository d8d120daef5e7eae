#!/usr/bin/env python3
"""kill -9 at random points of a sequencer under load, 20 times: no acknowledged operation is lost, none is executed twice.

kill_test.py BINARY
"""
import collections
import http.client
import json
import random
import sys
import tempfile
import threading
import time
import unittest

from node import Node, call, genesis, workload

BINARY = ""
ROUNDS = 20
ACCOUNTS = 64
OPERATIONS = 2400
GROUP = 12
MAX_GROUPS = 7  # that are waited for before a kill: what one may take in all is left over, however fast the machine
# Batches close every few groups, by size and by age, so that kills hit every step of it.
SETTINGS = ("batch.max_operations=50", "batch.max_age_ms=120", "sequencer.tick_ms=10", "log.level=warning")


class Sender(threading.Thread):
    """Sends its operations in order, in groups, until the node is gone. Keeps what was acknowledged."""

    def __init__(self, node, operations, start):
        super().__init__()
        self.node, self.operations, self.next = node, operations, start
        self.acknowledged = {}  # position -> receipt
        self.refused = []

    def run(self):
        try:
            connection = self.node.connect()
            while self.next < len(self.operations):
                group = self.operations[self.next:self.next + GROUP]
                answer = call(connection, "quarry_sendOperations", {"operations": group})
                for i, receipt in enumerate(answer["result"]):
                    if "error" in receipt:
                        self.refused.append(receipt["error"]["data"])
                    else:
                        self.acknowledged[self.next + i] = receipt
                self.next += len(group)
        except (OSError, http.client.HTTPException, RuntimeError, ValueError):
            pass  # killed


class Kill(unittest.TestCase):
    def check_receipts(self, node, receipts, stages):
        connection = node.connect()
        ids = [r["id"] for r in receipts]
        for first in range(0, len(ids), 100):
            batch = [{"jsonrpc": "2.0", "id": i, "method": "quarry_getReceipt", "params": [i_d]}
                     for i, i_d in enumerate(ids[first:first + 100])]
            connection.request("POST", "/", json.dumps(batch), {"content-type": "application/json"})
            for answer in json.loads(connection.getresponse().read()):
                self.assertIn("result", answer, "an acknowledged operation is gone")
                self.assertIn(answer["result"]["stage"], stages)
        connection.close()

    def wait_for_groups(self, sender, count):
        deadline = time.monotonic() + 60
        while len(sender.acknowledged) < count * GROUP and sender.is_alive():
            self.assertLess(time.monotonic(), deadline, "nothing is acknowledged")
            time.sleep(0.001)

    def test_no_acknowledged_operation_is_lost(self):
        rng = random.Random(4)
        with tempfile.TemporaryDirectory() as folder:
            state = genesis(BINARY, folder, ACCOUNTS)
            operations = workload(BINARY, state, folder + "/operations.jsonl", OPERATIONS)
            acknowledged = {}  # position -> receipt
            position = kills_under_load = 0
            for _ in range(ROUNDS):
                node = Node(BINARY, state, *SETTINGS)
                self.check_receipts(node, list(acknowledged.values())[-300:], ("executed", "received"))
                sender = Sender(node, operations, position)
                sender.start()
                if rng.random() < 0.8:  # else as soon as it starts
                    self.wait_for_groups(sender, rng.randint(1, MAX_GROUPS))
                time.sleep(rng.uniform(0, 0.02))
                kills_under_load += sender.is_alive()
                node.kill()
                sender.join()
                self.assertEqual(sender.refused, [])
                acknowledged.update(sender.acknowledged)
                position = sender.next
            print(f"{kills_under_load} kills under load, {len(acknowledged)} operations acknowledged")
            self.assertGreater(kills_under_load, ROUNDS // 2)
            self.assertGreater(len(acknowledged), ROUNDS * GROUP // 2)

            node = Node(BINARY, state, *SETTINGS)
            self.check_receipts(node, acknowledged.values(), ("executed",))
            rest = Sender(node, operations, position)  # with the group that nobody acknowledged
            rest.run()
            self.assertEqual(rest.refused, [])
            acknowledged.update(rest.acknowledged)
            self.assertEqual(len(acknowledged), OPERATIONS)
            # Each operation was executed once: nonces count them, and the money is where they moved it.
            balance, nonce = collections.Counter(), collections.Counter()
            for o in operations:
                nonce[o["slot"]] += 1
                balance[o["slot"]] -= int(o["amount"]) + int(o["fee"])
                balance[o["receiver"]] += int(o["amount"])
            for slot in range(1, ACCOUNTS):
                account = node.call("quarry_getAccount", {"slot": slot})["result"]["accounts"][0]
                self.assertEqual(account["nonce"], nonce[slot])
                self.assertEqual(int(account["balance"]), 1000000 + balance[slot])
            self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)

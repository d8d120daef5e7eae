#!/usr/bin/env python3
"""A sequencer that ignores a forced withdrawal: once it is due, the hub takes no batch without it; the honest one goes on with it.

forced_test.py BINARY ROOT
"""
import signal
import struct

import harness
from harness import NetworkTest, cast

HEADER_BYTES = 204
FORCED_DELAY = 30  # of the development profile
SUBMIT = "submitBatchCalldata(bytes,bytes,bytes,bytes32,(uint96,uint96,uint96))"


class ForcedWithdrawal(NetworkTest):
    ARGS = ("--provers", "0", "--rate", "0", "--accounts", "4", "--batch-seconds", "2", "--proving-seconds", "3600")

    def last_header(self):
        """The 204 bytes of the last submitted batch."""
        data = bytes.fromhex(self.net.submitted()[-1]["data"][2:])
        offset = int.from_bytes(data[64:96], "big")
        length = int.from_bytes(data[offset:offset + 32], "big")
        self.assertEqual(length, HEADER_BYTES)
        return data[offset + 32:offset + 32 + length]

    def child(self, parent):
        """The header of a batch with one word and no effects that leaves the state as it is: the hub checks no more before a proof."""
        version, rollup, number = struct.unpack(">HIQ", parent[:14])
        parent_hash = bytes.fromhex(cast("keccak", "0x" + parent.hex())[2:])
        timestamp = max(int.from_bytes(parent[50:54], "big"), int(self.net.l1("eth_getBlockByNumber", "latest", False)["timestamp"], 16) - 5)
        return (struct.pack(">HIQ", version, rollup, number + 1) + parent_hash + struct.pack(">II", 31, timestamp) + parent[54:86] +
                struct.pack(">H", 0) + parent[88:])

    def submit(self, header, parent):
        """What the hub answers to a sequencer that submits this: None if it takes it, else the error's selector."""
        data = cast("calldata", SUBMIT, "0x" + parent.hex(), "0x" + header.hex(), "0x" + "00" * 31, "0x" + "00" * 32, "(0,0,0)")
        key = self.net.key("sequencer")
        call = {"from": cast("wallet", "address", key), "to": self.net.network["hub"], "data": data, "value": hex(10**18)}
        try:
            self.net.l1("eth_call", call, "latest")
        except harness.RpcError as refused:
            return refused.error.get("data", "")[:10]
        return None

    def test_a_due_entry_cannot_be_skipped(self):
        self.net.wait_posted(self.net.close_batches())
        self.net.signal("sequencer", signal.SIGSTOP)  # from here on it ignores everything
        try:
            fee = cast("call", "--rpc-url", self.net.network["l1"], self.net.network["bridge"], "currentForcedFee(uint32)(uint256)",
                       str(self.net.network["rollup"])).split()[0]
            key = self.net.key("user")
            cast("send", "--rpc-url", self.net.network["l1"], "--private-key", key, "--value", fee, self.net.network["bridge"],
                 "forceWithdraw(uint32,uint32)", str(self.net.network["rollup"]), "0")
            parent = self.last_header()
            self.assertIsNone(self.submit(self.child(parent), parent), "an entry that is not due may wait")
            self.net.l1("evm_increaseTime", FORCED_DELAY + 1)
            self.net.mine()
            self.assertEqual(self.submit(self.child(parent), parent), cast("sig", "ForcedSkipped()"))
        finally:
            self.net.signal("sequencer", signal.SIGCONT)
        self.net.wait("no batch has the entry", lambda: self.net.rpc("quarry_stateRoot")["forced_cursor"] == 1)
        self.net.wait_posted(self.net.close_batches())
        header = self.last_header()
        self.assertEqual(int.from_bytes(header[128:136], "big"), 1, "the forced cursor on L1")


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Proving and verifying batches from the command line: what is accepted, and what is refused and how.

prove_test.py BINARY
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BINARY = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
PAYEE = "0x00000000000000000000000000000000000000b0"
MIX = "transfer=60,new=8,withdraw=8,deposit=8,change=6,forced=6,setkey=4"


def quarry(*args, **kwargs):
    return subprocess.run([BINARY, *args, "--quiet"], capture_output=True, text=True, timeout=300, **kwargs)


class Prove(unittest.TestCase):
    """Two batches of every kind of operation on a small state, the second one proven."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        cls.state, cls.batches, cls.input = cls.path("state"), cls.path("batches"), cls.path("operations.jsonl")
        cls.done("genesis", "--accounts", "200", "--balance", "1000000", "--seed", "5", "--out", cls.state)
        cls.done("workload", "--state", cls.state, "--count", "120", "--seed", "6", "--mix", MIX, "--out", cls.input)
        cls.report = cls.done("execute", "--state", cls.state, "--in", cls.input, "--out", cls.batches, "--batch-size",
                              "60")
        cls.batch = os.path.join(cls.batches, "batch-000002")
        cls.proof, cls.statement = cls.path("proof.bin"), cls.path("proof.bin.statement.json")
        cls.proven = cls.done(*cls.prove_args())
        with open(cls.proof, "rb") as file:
            cls.bytes = file.read()
        with open(cls.statement, encoding="ascii") as file:
            cls.said = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def prove_args(cls, batch=None, state=None, out=None, payee=PAYEE):
        return ["prove", batch or cls.batch, "--state", state or cls.state, "--out", out or cls.proof, "--payee", payee]

    @classmethod
    def verify_args(cls, proof=None, statement=None):
        return ["verify", proof or cls.proof, "--statement", statement or cls.statement]

    @staticmethod
    def done(*args):
        result = quarry(*args, "--json")
        if result.returncode != OK:
            raise AssertionError((args, result.returncode, result.stderr))
        return json.loads(result.stdout)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def expect_failure(self, args, code, name=None):
        """Exit code, exactly one line on stderr that says what and what to do, and the same as JSON."""
        result = quarry(*args, "--json")
        self.assertEqual(result.returncode, code, (args, result.stderr))
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z", args)
        if code != USAGE:
            error = json.loads(result.stdout)["error"]
            self.assertEqual(error["exit_code"], code)
            if name:
                self.assertEqual(error["name"], name, error)
        return result

    def test_accepts(self):
        self.assertGreaterEqual(self.proven["provable_bits"], 100)
        self.assertLessEqual(self.proven["proof_bytes"], 300 * 1024)
        self.assertEqual(self.proven["batch"], 2)
        verified = self.done(*self.verify_args(), "--batch", self.batch)
        self.assertEqual(verified["kind"], "segment")
        self.assertEqual(verified["payee"], PAYEE)
        self.assertEqual(verified["words"], self.proven["words"])
        self.assertEqual(verified["root_after"], self.report["root"])

    def test_text(self):
        result = quarry(*self.verify_args())
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("accepted", result.stdout)

    def test_inspect(self):
        shown = self.done("inspect", self.proof, "--statement", self.statement)
        self.assertEqual(shown["kind"], "segment")
        parts = shown["bytes"]
        self.assertEqual(sum(parts[k] for k in ("header", "stream", "opened_rows", "merkle_paths")), len(self.bytes))
        self.expect_failure(["inspect", self.proof], USAGE)

    def test_proofs_do_not_depend_on_threads_or_instruction_set(self):
        for name, more in (("one-thread", ["--threads", "1"]), ("scalar", ["--isa", "scalar"])):
            self.done(*self.prove_args(out=self.path(name)), *more)
            with open(self.path(name), "rb") as file:
                self.assertEqual(file.read(), self.bytes, name)

    def test_statement_is_wanted(self):
        self.expect_failure(["verify", self.proof], USAGE)

    def test_damaged_proofs(self):
        size = len(self.bytes)
        for cut in (3, 60, 94, 5000, size // 2, size - 1):
            result = self.expect_failure(self.verify_args(self.write("cut.bin", self.bytes[:cut])),
                                         BAD_INPUT if cut < 95 else REFUSED)
            self.assertIn("cut.bin", result.stderr)
        self.expect_failure(self.verify_args(self.write("long.bin", self.bytes + b"\0")), REFUSED, "trailing_bytes")
        for place in (100, 5000, 50000, size // 2, size - 5):
            changed = bytearray(self.bytes)
            changed[place] ^= 1
            self.expect_failure(self.verify_args(self.write("changed.bin", bytes(changed))), REFUSED)

    def test_every_field_of_the_statement_is_bound(self):
        self.assertGreater(len(self.said), 20)
        for field, value in self.said.items():
            other = dict(self.said)
            if isinstance(value, int):
                other[field] = value + 1
            elif value.startswith("0x"):
                other[field] = value[:-1] + ("1" if value[-1] != "1" else "2")
            else:
                continue
            result = quarry(*self.verify_args(statement=self.write("other.json", json.dumps(other))), "--json")
            self.assertIn(result.returncode, (REFUSED, BAD_INPUT), (field, result.stdout))

    def test_statement_of_another_batch(self):
        out = self.path("first.bin")
        self.done(*self.prove_args(batch=os.path.join(self.batches, "batch-000001"), out=out))
        self.expect_failure(self.verify_args(statement=out + ".statement.json"), REFUSED, "statement_mismatch")
        self.expect_failure(self.verify_args() + ["--batch", os.path.join(self.batches, "batch-000001")], REFUSED,
                            "statement_mismatch")

    def test_bad_statement_files(self):
        for content in ("", "{", "{}", "[1]", json.dumps(self.said)[:-2], "\xff" * 10, "x" * 100000):
            self.expect_failure(self.verify_args(statement=self.write("bad.json", content.encode("latin-1"))), BAD_INPUT)
        self.expect_failure(self.verify_args(statement=self.path("none.json")), BAD_INPUT)

    def test_bad_usage(self):
        for payee in ("0x", "0x" + "0" * 40, "b0", "0x" + "g" * 40):
            self.expect_failure(self.prove_args(payee=payee), USAGE)

    def test_wrong_batch_or_state(self):
        out = self.path("none.bin")
        self.expect_failure(self.prove_args(batch=self.batches, out=out), BAD_INPUT, "not_a_batch")
        self.expect_failure(self.prove_args(batch=os.path.join(self.batches, "batch-000009"), out=out), BAD_INPUT)
        self.expect_failure(self.prove_args(state=self.path("no-state"), out=out), BAD_INPUT)
        other = self.path("other-state")
        if not os.path.exists(other):
            self.done("genesis", "--accounts", "10", "--balance", "5", "--seed", "9", "--out", other)
        self.expect_failure(self.prove_args(state=other, out=out), BAD_INPUT, "wrong_rollup")
        self.expect_failure(self.prove_args(out="/proc/none.bin"), ENVIRONMENT)
        self.assertFalse(os.path.exists(out))

    def test_changed_batch_data_is_not_proven(self):
        batches = self.path("changed-batches")
        shutil.rmtree(batches, ignore_errors=True)
        shutil.copytree(self.batches, batches)
        batch = os.path.join(batches, "batch-000002")
        with open(os.path.join(batch, "data.bin"), "r+b") as file:
            file.seek(20)
            byte = file.read(1)
            file.seek(20)
            file.write(bytes([byte[0] ^ 1]))
        result = quarry(*self.prove_args(batch=batch, out=self.path("none.bin")), "--json")
        self.assertIn(result.returncode, (REFUSED, BAD_INPUT), result.stderr)
        self.assertFalse(os.path.exists(self.path("none.bin")))


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)

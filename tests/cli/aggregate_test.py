#!/usr/bin/env python3
"""Batches to one bundle: `quarry aggregate`, what it leaves, and who may rely on it; the pinned keys.

aggregate_test.py BINARY
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
SLOW = "*Slow*" not in os.environ.get("GTEST_FILTER", "")


def quarry(*args):
    return subprocess.run([BINARY, *args, "--quiet"], capture_output=True, text=True, timeout=600)


def done(*args):
    result = quarry(*args, "--json")
    if result.returncode != OK:
        raise AssertionError((args, result.returncode, result.stderr))
    return json.loads(result.stdout)


class Case(unittest.TestCase):
    def expect_failure(self, args, code, name):
        result = quarry(*args, "--json")
        self.assertEqual(result.returncode, code, (args, result.stderr))
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z", args)
        if code != USAGE:
            self.assertEqual(json.loads(result.stdout)["error"]["name"], name)


class Usage(Case):
    def test_what_is_no_input(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out.bin")
            other = os.path.join(folder, "other")
            with open(other, "w", encoding="ascii") as file:
                file.write("QNP1")
            self.expect_failure(["aggregate", "--out", out], USAGE, None)
            self.expect_failure(["aggregate", folder, "--out", out], USAGE, None)
            self.expect_failure(["aggregate", other, "--out", out], BAD_INPUT, "truncated")
            self.expect_failure(["aggregate", other, "--out", out, "--data", "paper"], USAGE, None)
            self.expect_failure(["verify", other], BAD_INPUT, "truncated")
            self.assertEqual(sorted(os.listdir(folder)), ["other"])


@unittest.skipUnless(SLOW, "release only")
class Aggregate(Case):
    """Two batches, the second one with effects, proven once and looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        cls.state, cls.batches = cls.path("state"), cls.path("batches")
        done("genesis", "--accounts", "200", "--balance", "1000000", "--seed", "5", "--out", cls.state)
        for seed, mix in (("6", "transfer=100"), ("7", "transfer=70,withdraw=20,deposit=10")):
            operations = cls.path("operations" + seed)
            done("workload", "--state", cls.state, "--count", "40", "--seed", seed, "--mix", mix, "--out", operations)
            done("execute", "--state", cls.state, "--in", operations, "--out", cls.batches)
        cls.names = [os.path.join(cls.batches, f"batch-00000{i}") for i in (1, 2)]
        cls.out = cls.path("bundle.bin")
        cls.made = done(*cls.args(cls.out))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def args(cls, out, *more):
        return ["aggregate", *cls.names, "--state", cls.state, "--out", out, "--payee", PAYEE, "--workers", "2", *more]

    def tasks(self):
        return done("tasks", self.out + ".work")["tasks"]

    def output_of(self, node):
        """The file that the first task of this kind of node made."""
        work = self.out + ".work"
        task = next(t for t in self.tasks() if t["parameters"].get("node") == node)
        with open(os.path.join(work, "results", task["id"]), encoding="ascii") as file:
            return os.path.join(work, "objects", file.read().split()[1])

    def test_what_it_says(self):
        self.assertEqual((self.made["kind"], self.made["batches"], self.made["failed"]), ("bundle", 2, 0))
        # Two segments, three data proofs; one node for the first batch, three for the second, one bundle.
        self.assertEqual(self.made["tasks"], 10)
        self.assertEqual(sorted(t["parameters"].get("node", t["kind"]) for t in self.tasks()),
                         ["batch 512", "batch of two parts", "bundle", "data", "data", "data", "effects", "segment",
                          "segment", "segment 512 + data"])
        verified = done("verify", self.out, "--statement", self.out + ".statement.json")
        self.assertGreaterEqual(verified["provable_bits"], 100)
        self.assertEqual(verified["kind"], "bundle")
        items = verified["statement"]["batches"]
        self.assertEqual([item["number"] for item in items], [1, 2])
        self.assertEqual(items[0]["root_after"], items[1]["root_before"])
        self.assertEqual({item["payee"] for item in items}, {PAYEE})
        self.assertNotIn("effects_binding", items[0])
        self.assertGreater(items[1]["effects"], 0)
        self.assertEqual(items[1]["effects_binding"]["form"], "calldata")
        for name in self.names:
            done("verify", self.out, "--batch", name)

    def test_every_node_verifies(self):
        for node, kind in (("segment 512 + data", "join"), ("effects", "join"), ("batch 512", "batch"),
                           ("batch of two parts", "batch"), ("bundle", "bundle")):
            file = self.output_of(node)
            self.assertEqual(done("verify", file)["kind"], kind)
            shown = done("inspect", file)
            self.assertEqual((shown["kind"], shown["node"]), (kind, node))
            self.assertGreater(shown["bytes"]["merkle_paths"], 0)
        self.assertIn("batch of two parts", quarry("inspect", self.output_of("batch of two parts")).stdout)
        self.assertIn("words", quarry("verify", self.output_of("effects")).stdout)

    def test_other_statements_are_refused(self):
        one = self.output_of("batch 512")
        with open(self.out + ".statement.json", encoding="ascii") as file:
            said = file.read()
        self.expect_failure(["verify", one, "--statement", self.out + ".statement.json"], REFUSED, "statement_mismatch")
        stolen = self.path("stolen.json")
        with open(stolen, "w", encoding="ascii") as file:
            file.write(said.replace(PAYEE, PAYEE[:-1] + "1"))
        self.expect_failure(["verify", self.out, "--statement", stolen], REFUSED, "statement_mismatch")
        self.expect_failure(["verify", one, "--batch", self.names[1]], REFUSED, "statement_mismatch")
        self.expect_failure(["verify", self.output_of("effects"), "--batch", self.names[1]], USAGE, None)
        self.expect_failure(["verify", self.out, "--security", "120"], REFUSED, "wrong_key")
        # The same said by the file itself.
        with open(self.out, "rb") as file:
            proof = file.read()
        forged = self.path("forged.bin")
        with open(forged, "wb") as file:
            file.write(proof.replace(PAYEE.encode(), PAYEE[:-1].encode() + b"1"))
        self.expect_failure(["verify", forged], REFUSED, "statement_mismatch")
        for at in (5, 20, len(proof) - 100000):
            with open(forged, "wb") as file:
                file.write(proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1:])
            self.assertIn(quarry("verify", forged).returncode, (REFUSED, BAD_INPUT), at)

    def test_bundles_are_aggregated_too(self):
        out = self.path("again.bin")
        parts = [self.output_of("batch 512"), self.output_of("batch of two parts")]
        made = done("aggregate", *parts, "--out", out)
        self.assertEqual((made["tasks"], made["batches"]), (1, 2))
        # The same bundle, whoever made it.
        done("verify", out, "--statement", self.out + ".statement.json")
        with open(out, "rb") as one, open(self.out, "rb") as other:
            self.assertEqual(one.read(), other.read())
        self.expect_failure(["aggregate", parts[0], "--out", out], USAGE, None)
        self.expect_failure(["aggregate", self.output_of("effects"), parts[0], "--out", out, "--work",
                             self.path("part")], REFUSED, "not_a_batch")
        self.expect_failure(["aggregate", parts[0], self.out, "--out", out, "--work", self.path("order")], REFUSED,
                            "bundle_shape")
        self.expect_failure(["aggregate", self.batches + "/rollup.json", "--out", out], BAD_INPUT, "not_a_bundle")

    def test_doing_it_again_does_nothing_and_damage_is_repaired(self):
        again = done(*self.args(self.out))
        self.assertEqual((again["executed"], again["reused"]), (0, 10))
        shutil.copytree(self.out + ".work", self.path("damaged"))
        shutil.copy(self.output_of("effects"), self.path("kept"))
        damaged = self.output_of("effects").replace(self.out + ".work", self.path("damaged"))
        with open(damaged, "r+b") as file:
            file.seek(9000)
            file.write(b"damage")
        repaired = done(*self.args(self.path("repaired.bin"), "--work", self.path("damaged")))
        self.assertEqual((repaired["executed"], repaired["damaged"]), (1, 1))
        with open(damaged, "rb") as one, open(self.path("kept"), "rb") as other:
            self.assertEqual(one.read(), other.read())
        args = self.args(self.out)
        args[args.index(PAYEE)] = PAYEE[:-1] + "1"
        self.expect_failure(args, ENVIRONMENT, "other_work")

    def test_the_pinned_keys_are_those_of_the_circuits(self):
        checked = done("keys", "--check")
        self.assertIs(checked["ok"], True)
        self.assertEqual(done("verify", self.out)["key_table"], checked["key_table"])


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)

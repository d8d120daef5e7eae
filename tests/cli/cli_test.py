#!/usr/bin/env python3
"""The command line of `quarry`: help, JSON, exit codes, and every kind of bad input.

cli_test.py BINARY
"""
import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

BINARY = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
PROOF = ["bench", "permutations", "--log-count", "9", "--runs", "1"]

COMMANDS = [
    ["bench"],
    ["bench", "permutations"],
    ["bench", "hash"],
    ["bench", "dft"],
    ["bench", "execute"],
    ["bench", "data"],
    ["bench", "prove"],
    ["bench", "recursion"],
    ["bench", "aggregate"],
    ["bench", "split"],
    ["genesis"],
    ["workload"],
    ["execute"],
    ["doctor"],
    ["doctor", "sequencer"],
    ["doctor", "prover"],
    ["state"],
    ["state", "show"],
    ["state", "export"],
    ["state", "import"],
    ["security"],
    ["prove"],
    ["aggregate"],
    ["keys"],
    ["sequencer"],
    ["load"],
    ["tasks"],
    ["task"],
    ["task", "run"],
    ["verify"],
    ["inspect"],
    ["wallet"],
    ["wallet", "connect"],
    ["wallet", "new"],
    ["wallet", "derive"],
    ["wallet", "backup"],
    ["wallet", "restore"],
    ["wallet", "list"],
    ["wallet", "address"],
    ["wallet", "balance"],
    ["wallet", "transfer"],
    ["wallet", "withdraw"],
    ["wallet", "receipt"],
    ["wallet", "resend"],
    ["wallet", "history"],
    ["wallet", "deposit"],
    ["wallet", "claim"],
    ["wallet", "force-withdraw"],
    ["wallet", "set-key"],
]

BAD_USAGE = [
    ["wallet"],
    ["wallet", "new"],
    ["wallet", "restore"],
    ["wallet", "transfer", "--to", "1"],
    ["wallet", "withdraw", "--amount", "all", "--wait", "later"],
    ["wallet", "force-withdraw"],
    ["wallet", "set-key", "--slot", "1"],
    [],
    ["--unknown"],
    ["unknown"],
    ["doctor"],
    ["doctor", "miner"],
    ["bench"],
    ["bench", "unknown"],
    ["bench", "hash", "--unknown"],
    ["bench", "hash", "surplus"],
    ["bench", "hash", "--seconds", "0"],
    ["bench", "hash", "--threads", "0"],
    ["bench", "hash", "--threads", "many"],
    ["bench", "hash", "--isa", "mmx"],
    ["bench", "permutations", "--log-count", "8"],
    ["bench", "permutations", "--log-count", "21"],
    ["bench", "permutations", "--log-count", "-9"],
    ["bench", "permutations", "--log-count"],
    ["bench", "permutations", "--security", "110"],
    ["bench", "permutations", "--runs", "0"],
    ["bench", "dft", "--log-message", "22"],
    ["bench", "dft", "--log-inv-rate", "4"],
    ["security", "--bits", "80"],
    ["security", "--profile", "outer"],
    ["security", "--profile", "terminal", "--log-size", "28"],
    ["security", "--profile", "wrap", "--log-size", "27"],
    ["security", "--log-size", "15"],
    ["security", "--log-size", "29"],
    ["bench", "split", "--segments", "1"],
    ["bench", "split", "--workers", "0"],
    ["bench", "split", "--runs", "0"],
    ["bench", "aggregate", "--batches", "17"],
    ["aggregate"],
    ["aggregate", "one"],
    ["keys", "one"],
    ["tasks"],
    ["task"],
    ["task", "run", "one"],
    ["verify"],
    ["verify", "one", "two"],
    ["verify", "one", "--security", "99"],
    ["inspect"],
]

# What a byte of the header is, where it is, the exit code of a change there and the error's name (quarry/proof/wire.hpp).
HEADER_BYTES = [
    ("magic", 0, BAD_INPUT, "bad_magic"),
    ("version", 4, BAD_INPUT, "unsupported_version"),
    ("log cap", 6, REFUSED, "wrong_key"),
    ("circuit digest", 8, REFUSED, "wrong_key"),
    ("circuit digest, last byte", 39, REFUSED, "wrong_key"),
    ("start digest", 40, REFUSED, "statement_mismatch"),
    ("start digest, last byte", 71, REFUSED, "statement_mismatch"),
    ("security bits", 72, REFUSED, "wrong_key"),
    ("number of tables", 73, REFUSED, "bad_shape"),
    ("height", 74, REFUSED, None),
]
HEADER_SIZE = 75

BENCH_FIELDS = {
    "permutations_per_second": int, "seconds": float, "run_seconds": list, "trace_seconds": float, "phases": dict,
    "provable_bits": float, "proof_bytes": int, "verify_ms": float, "peak_rss_bytes": int, "peak_rss_note": str,
    "cells_per_permutation": (int, float), "threads": int, "isa": str, "cpu": str, "calibration": dict,
    "log_count": int, "permutations": int, "security_bits": int,
}


def quarry(*args, **kwargs):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=300, **kwargs)


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.proof = cls.path("proof.bin")
        cls.made = quarry(*PROOF, "--json", "--quiet", "--out", cls.proof)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def proof_bytes(self):
        with open(self.proof, "rb") as file:
            return file.read()

    def expect_failure(self, args, code, **kwargs):
        """Exit code and exactly one line on stderr, which says what and what to do."""
        result = quarry(*args, **kwargs)
        self.assertEqual(result.returncode, code, (args, result.stderr))
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z", args)
        return result

    def expect_refusal(self, args, code, name=None):
        """The same as text and as JSON; the error's stable name."""
        self.expect_failure(args, code)
        document = json.loads(self.expect_failure([*args, "--json"], code).stdout)
        self.assertIs(document["ok"], False)
        error = document["error"]
        self.assertEqual(error["exit_code"], code)
        self.assertTrue(error["message"] and error["remedy"])
        if name:
            self.assertEqual(error["name"], name, args)

    # --- help and usage

    def test_help_of_every_command(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                result = quarry(*command, "--help")
                self.assertEqual((result.returncode, result.stderr), (OK, ""))
                self.assertRegex(result.stdout, "Examples?:\n  quarry " + " ".join(command))
                if command not in (["bench"], ["doctor"], ["state"], ["task"], ["wallet"]):
                    self.assertIn("--json", result.stdout)

    def test_help_lists_exit_codes_and_every_command(self):
        text = quarry("--help").stdout
        self.assertIn("Exit codes:", text)
        for code in range(6):
            self.assertRegex(text, rf"\n  {code}  \w")
        for command in COMMANDS:
            self.assertIn(f"\n  {command[0]} ", text)

    def test_version(self):
        result = quarry("--version")
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        self.assertRegex(result.stdout, r"\Aquarry \d+\.\d+\.\d+ \(protocol \d+, proof format \d+\)\n\Z")

    def test_wrong_usage(self):
        for args in BAD_USAGE:
            with self.subTest(args=args):
                result = self.expect_failure(args, USAGE)
                self.assertIn("--help", result.stderr)
                self.assertEqual(result.stdout, "")

    # --- bench

    def test_bench_permutations_json(self):
        self.assertEqual((self.made.returncode, self.made.stderr), (OK, ""))
        document = json.loads(self.made.stdout)
        for field, kind in BENCH_FIELDS.items():
            self.assertIsInstance(document[field], kind, field)
        self.assertEqual(set(document["phases"]), {"commit", "logup", "zerocheck", "open"})
        self.assertEqual(set(document["calibration"]),
                         {"poseidon_permutations_per_second_per_core", "memory_bandwidth_bytes_per_second"})
        self.assertEqual(document["permutations"], 512)
        self.assertGreaterEqual(document["provable_bits"], 100)
        self.assertEqual(document["proof_bytes"], os.path.getsize(self.proof))
        self.assertGreater(document["permutations_per_second"], 0)
        self.assertEqual(os.listdir(self.folder.name).count("proof.bin"), 1)

    def test_bench_permutations_text_and_plain_progress(self):
        result = quarry(*PROOF)
        self.assertEqual(result.returncode, OK)
        self.assertIn("permutations/s", result.stdout)
        self.assertIn("run 1 of 1", result.stderr)
        self.assertNotIn("\r", result.stderr)

    def test_progress_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        result = subprocess.run([BINARY, *PROOF, "--json"], stdout=subprocess.PIPE, stderr=theirs, timeout=300)
        os.close(theirs)
        shown = ""
        try:
            while part := os.read(ours, 1 << 12):
                shown += part.decode()
        except OSError:  # the end of a terminal
            pass
        os.close(ours)
        json.loads(result.stdout)
        self.assertIn("\r\x1b[K[", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), "the bar is taken away at the end")

    # ACCEPTANCE 8: the same bytes on any number of threads and any instruction set.
    def test_proofs_do_not_depend_on_threads_or_instruction_set(self):
        kinds = [["--threads", "1"], ["--threads", "3"], ["--isa", "scalar"]]
        for isa in ("avx2", "avx512"):
            if quarry("security", "--log-size", "16", "--isa", isa).returncode == OK:
                kinds.append(["--isa", isa])
        for kind in kinds:
            with self.subTest(kind=kind):
                other = self.path("other.bin")
                result = quarry(*PROOF, *kind, "--json", "--out", other)
                self.assertEqual(result.returncode, OK, result.stderr)
                self.assertEqual(str(json.loads(result.stdout)[kind[0][2:]]), kind[1])
                with open(other, "rb") as file:
                    self.assertEqual(file.read(), self.proof_bytes())

    def test_bench_hash_json(self):
        document = json.loads(quarry("bench", "hash", "--seconds", "0.01", "--json").stdout)
        self.assertGreater(document["poseidon_permutations_per_second_per_core"], 0)
        names = [x["isa"] for x in document["by_isa"]]
        self.assertIn("scalar", names)
        self.assertEqual(names[0], document["isa"])

    def test_bench_dft_json(self):
        result = quarry("bench", "dft", "--lanes", "8", "--log-message", "8", "--runs", "1", "--json")
        document = json.loads(result.stdout)
        for field in ("seconds", "cells_per_second", "bytes_per_second", "memory_bandwidth_bytes_per_second"):
            self.assertGreater(document[field], 0, field)
        self.assertIn("cycles_per_cell_per_thread", document)

    def test_bench_execute_json(self):
        result = quarry("bench", "execute", "--transfers", "40", "--accounts", "30", "--batch-size", "16", "--json",
                        "--folder", self.folder.name)
        document = json.loads(result.stdout)
        for field in ("transfers_per_second", "seconds", "cpu_seconds", "input_bytes", "peak_rss_bytes"):
            self.assertGreater(document[field], 0, field)
        self.assertEqual((document["transfers"], document["batches"]), (40, 3))
        self.assertGreater(document["calibration"]["disk_sync_ms"], 0)
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.startswith("quarry-bench")], [])

    # --- security

    def test_security_json(self):
        for bits in (100, 120):
            document = json.loads(quarry("security", "--bits", str(bits), "--json").stdout)
            self.assertGreaterEqual(document["minimum_bits"], bits)
            self.assertEqual([s["log_size"] for s in document["sizes"]], list(range(16, 29)))
            for size in document["sizes"]:
                statistical = [line["bits"] for line in size["lines"] if line["basis"] == "statistical"]
                self.assertEqual(min(statistical), size["minimum_bits"])
                self.assertTrue(all(line["relies_on"] for line in size["lines"]))
                self.assertTrue(size["rounds"])
            self.assertEqual(min(s["minimum_bits"] for s in document["sizes"]), document["minimum_bits"])

    def test_security_text(self):
        self.assertIn("2^28", quarry("security").stdout)
        self.assertIn("whir.0.fold", quarry("security", "--log-size", "20").stdout)
        terminal = quarry("security", "--profile", "terminal", "--log-size", "22").stdout
        self.assertIn("Keccak", terminal)
        self.assertNotIn("constraints.skip", terminal)
        wrap = quarry("security", "--profile", "wrap", "--log-size", "22").stdout
        self.assertIn("constraints.skip", wrap)
        self.assertNotIn("Keccak", wrap)

    # --- doctor

    def doctor(self, kind, *args):
        """Verdict of each check by name; the exit code is that of the worst."""
        result = quarry("doctor", kind, "--json", *args)
        self.assertEqual(result.stderr, "")
        document = json.loads(result.stdout)
        verdicts = [check["result"] for check in document["checks"]]
        worst = max(verdicts, key=["ok", "warn", "fail"].index)
        self.assertEqual((document["result"], document["ok"]), (worst, worst != "fail"))
        self.assertEqual(result.returncode, REFUSED if worst == "fail" else OK)
        for check in document["checks"]:
            self.assertTrue(check["text"], check)
            self.assertTrue(check["result"] == "ok" or check["advice"], check)
        return {check["name"]: check for check in document["checks"]}

    def test_doctor_without_settings(self):
        found = self.doctor("prover")
        self.assertEqual((found["settings"]["result"], found["key file"]["result"]), ("fail", "warn"))
        self.assertIn("prover.payee", found["settings"]["text"])
        for name in ("cpu", "cores", "memory", "open files", "disk", "sync", "http port"):
            self.assertIn(name, found)
        self.assertEqual(os.path.exists("prover"), False)
        self.assertIn("sequencer.state", self.doctor("sequencer")["settings"]["text"])

    def test_doctor_of_a_wrong_file_and_a_dead_endpoint(self):
        config = self.write("doctor.toml", b"[prover]\nworker = 1\n")
        self.assertIn("worker", self.doctor("prover", "--config", config)["settings"]["text"])
        config = self.write("doctor.toml", b'[l1]\nendpoints = ["http://127.0.0.1:1"]\nkey = "/none"\n')
        found = self.doctor("prover", "--config", config, "--set", f"prover.folder={self.folder.name}/new/prover")
        self.assertEqual([found[n]["result"] for n in ("endpoint", "blobs", "key file")], ["fail"] * 3)
        self.assertNotIn("hub", found)
        self.assertFalse(os.path.exists(self.path("new")))

    def test_doctor_as_text(self):
        result = quarry("doctor", "prover")
        self.assertRegex(result.stdout, r"(?m)\A(ok|warn|fail) +settings +\S")
        self.assertRegex(result.stdout, r"(?m)^ +-> \S")

    # --- verify and inspect

    def test_verify_accepts(self):
        result = quarry("verify", self.proof)
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        self.assertIn("512 Poseidon permutations", result.stdout)
        document = json.loads(quarry("verify", self.proof, "--json").stdout)
        self.assertIs(document["ok"], True)
        self.assertEqual((document["kind"], document["permutations"]), ("permutations", 512))

    def test_verify_wants_the_level_asked_for(self):
        self.expect_refusal(["verify", self.proof, "--security", "120"], REFUSED, "wrong_key")

    def test_higher_level(self):
        strong = self.path("strong.bin")
        self.assertEqual(quarry(*PROOF, "--security", "120", "--out", strong).returncode, OK)
        for bits in ("100", "120"):
            self.assertEqual(quarry("verify", strong, "--security", bits).returncode, OK)

    def test_inspect(self):
        result = quarry("inspect", self.proof)
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        document = json.loads(quarry("inspect", self.proof, "--json").stdout)
        self.assertEqual(document["log_heights"], [9])
        sizes = document["bytes"]
        parts = sum(sizes[k] for k in ("header", "stream", "opened_rows", "merkle_paths"))
        self.assertEqual((parts, sizes["header"]), (os.path.getsize(self.proof), HEADER_SIZE))

    def test_changed_header_byte(self):
        for what, offset, code, name in HEADER_BYTES:
            with self.subTest(what=what):
                data = bytearray(self.proof_bytes())
                data[offset] ^= 1
                changed = self.write("changed.bin", data)
                for command in ("verify", "inspect"):
                    self.expect_refusal([command, changed], code, name)

    def test_changed_byte_after_the_header(self):
        size = os.path.getsize(self.proof)
        for offset in [HEADER_SIZE, HEADER_SIZE + 33, *range(1000, size, size // 12), size - 1]:
            for bit in (0x01, 0x80):
                with self.subTest(offset=offset, bit=bit):
                    data = bytearray(self.proof_bytes())
                    data[offset] ^= bit
                    self.expect_failure(["verify", self.write("changed.bin", data)], REFUSED)

    # ACCEPTANCE 11, the lines that concern proof files.
    def test_bad_files(self):
        good = self.proof_bytes()
        table = [
            ("empty file", b"", BAD_INPUT, "cannot_read"),
            ("cut in the magic", good[:3], BAD_INPUT, "truncated"),
            ("cut in the header", good[:HEADER_SIZE - 1], BAD_INPUT, "truncated"),
            ("nothing after the header", good[:HEADER_SIZE], REFUSED, "truncated"),
            ("cut in the middle", good[:len(good) // 2], REFUSED, "truncated"),
            ("last byte missing", good[:-1], REFUSED, "truncated"),
            ("a byte too many", good + b"\0", REFUSED, "trailing_bytes"),
            ("twice", good + good, REFUSED, "trailing_bytes"),
            ("text", b"{\"proof\": \"none\"}\n", BAD_INPUT, "bad_magic"),
            ("zeros", bytes(len(good)), BAD_INPUT, "bad_magic"),
            ("beyond any proof", good + bytes(17 << 20), BAD_INPUT, "cannot_read"),
        ]
        for what, data, code, name in table:
            for command in ("verify", "inspect"):
                with self.subTest(what=what, command=command):
                    self.expect_refusal([command, self.write("bad.bin", data)], code, name)

    def test_paths_that_are_no_files(self):
        table = [self.folder.name, self.path("missing.bin"), os.path.join(self.proof, "below"), "", "/dev/null"]
        for path in table:
            for command in ("verify", "inspect"):
                with self.subTest(path=path, command=command):
                    self.expect_refusal([command, path], BAD_INPUT, "cannot_read")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_forbidden_file(self):
        secret = self.write("secret.bin", self.proof_bytes())
        os.chmod(secret, 0)
        self.expect_refusal(["verify", secret], BAD_INPUT, "cannot_read")

    # --- the machine

    def test_unwritable_output(self):
        table = [
            ("a folder", self.folder.name, "cannot_write"),
            ("in a missing folder", self.path("missing/proof.bin"), "cannot_write"),
            ("below a file", os.path.join(self.proof, "proof.bin"), "cannot_write"),
            ("full disk", "/dev/full", "disk_full"),
        ]
        for what, path, name in table:
            with self.subTest(what=what):
                self.expect_failure([*PROOF, "--quiet", "--out", path], ENVIRONMENT)
                result = self.expect_failure([*PROOF, "--quiet", "--json", "--out", path], ENVIRONMENT)
                self.assertEqual(json.loads(result.stdout)["error"]["name"], name)

    def test_existing_proof_survives_a_failed_write(self):
        kept = self.write("kept.bin", b"kept")
        limit = "ulimit -f 8; exec \"$0\" \"$@\""  # 4 or 8 KiB a file: less than any proof
        result = subprocess.run(["bash", "-c", "trap '' XFSZ; " + limit, BINARY, *PROOF, "--quiet", "--out", kept],
                                capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, ENVIRONMENT, result.stderr)
        self.assertRegex(result.stderr, r"\Aquarry: cannot write [^\n]+\n\Z")
        with open(kept, "rb") as file:
            self.assertEqual(file.read(), b"kept")
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.endswith(".part")], [])

    def test_full_stdout(self):
        for args in (["security"], ["security", "--json"], ["--help"], ["verify", self.proof]):
            with self.subTest(args=args), open("/dev/full", "w", encoding="utf-8") as full:
                result = subprocess.run([BINARY, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(result.returncode, ENVIRONMENT)
                self.assertRegex(result.stderr, r"\Aquarry: [^\n]+\n\Z")

    def test_instruction_set_runs_or_is_refused(self):
        for isa in ("avx2", "avx512"):
            result = quarry("security", "--log-size", "16", "--isa", isa)
            self.assertIn(result.returncode, (OK, ENVIRONMENT))
            self.assertEqual(result.returncode == OK, result.stderr == "")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
